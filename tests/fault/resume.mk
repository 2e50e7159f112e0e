# SPDX-License-Identifier: Apache-2.0
# Uploads that go on: the stories are in tests/talk, of which this one has a long form.
FAULT_TESTS += tests/talk/sftp-resume-cut.sh
EXTRA_DIST += tests/talk/sftp-resume-cut.sh
