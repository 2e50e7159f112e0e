#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# paramiko, for what an SFTP client can ask for and the usual programs do not: writes in any
# order, over each other, with holes; sizes, times, extensions, handles; connections that break
# off in mid-upload; several at once. It also shows the sentences of refusals.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need ssh-keygen
python -c 'import paramiko' 2>/dev/null || skip_all 'python3-paramiko is not installed'

start_keep
add_zone acme
add_user alice client acme
add_user anna client acme
add_user bob staff acme

CLIENT_SECONDS=300
retell in_time /usr/bin/python3 -W ignore "$top_srcdir/tests/talk/paramiko-story.py" \
	"$PORT" "$STATE/keys/ssh_host_ed25519_key.pub" "$WORK"
ok 'and nothing is wrong with what it left' ctl check --deep
stop_keep

done_testing
