# SPDX-License-Identifier: Apache-2.0
# HTTPS with curl; the client with a server that lies, and with the real one.
EXTRA_DIST += tests/talk/client-lib.sh tests/talk/fake-https.py tests/talk/https-lib.sh tests/talk/tus.mjs \
	tests/talk/tlog-verify.py
TALK_TESTS += tests/talk/https-files.sh
TALK_TESTS += tests/talk/https-tus.sh
TALK_TESTS += tests/talk/https-log.sh
TALK_TESTS += tests/talk/https-resume.sh
TALK_TESTS += tests/talk/client-fake.sh
TALK_TESTS += tests/talk/client-care.sh
TALK_TESTS += tests/talk/client.sh
