# SPDX-License-Identifier: Apache-2.0
# Conversations with real programs: add each script to TALK_TESTS.
EXTRA_DIST += tests/talk/lib.sh tests/talk/resume-lib.sh tests/talk/relay.py \
	tests/talk/slow-reput.py tests/talk/paramiko-story.py \
	tests/talk/https-raw.py
TALK_TESTS += tests/talk/age-interop.sh
TALK_TESTS += tests/talk/sftp-basics.sh
TALK_TESTS += tests/talk/sftp-rights.sh
TALK_TESTS += tests/talk/sftp-resume.sh
TALK_TESTS += tests/talk/sftp-resume-break.sh
TALK_TESTS += tests/talk/sftp-resume-restart.sh
TALK_TESTS += tests/talk/sftp-resume-takeover.sh
TALK_TESTS += tests/talk/sftp-resume-told.sh
TALK_TESTS += tests/talk/sftp-resume-version.sh
TALK_TESTS += tests/talk/scp.sh
TALK_TESTS += tests/talk/psftp.sh
TALK_TESTS += tests/talk/psftp-resume.sh
TALK_TESTS += tests/talk/lftp.sh
TALK_TESTS += tests/talk/lftp-resume.sh
TALK_TESTS += tests/talk/rclone.sh
TALK_TESTS += tests/talk/rclone-resume.sh
TALK_TESTS += tests/talk/sshfs.sh
TALK_TESTS += tests/talk/sshfs-resume.sh
TALK_TESTS += tests/talk/paramiko.sh
TALK_TESTS += tests/talk/big.sh
TALK_TESTS += tests/talk/keep-life.sh
TALK_TESTS += tests/talk/audit.sh
TALK_TESTS += tests/talk/ctl.sh
TALK_TESTS += tests/talk/tamper.sh
TALK_TESTS += tests/talk/tiny.sh
TALK_TESTS += tests/talk/auth.sh
TALK_TESTS += tests/talk/networks.sh
TALK_TESTS += tests/talk/https-raw.sh
TALK_TESTS += tests/talk/expiry.sh
TALK_TESTS += tests/talk/https-reload.sh
