# SPDX-License-Identifier: Apache-2.0
# The client with a server that lies, and with the real one.
EXTRA_DIST += tests/talk/client-lib.sh tests/talk/fake-https.py
TALK_TESTS += tests/talk/client-fake.sh
TALK_TESTS += tests/talk/client.sh
