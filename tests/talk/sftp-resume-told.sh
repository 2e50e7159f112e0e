#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Who looks at an upload that another connection of the same user writes disturbs nobody, and any
# size that was told is one to go on from.
. "${top_srcdir:-.}/tests/talk/resume-lib.sh"
need sftp ssh-keygen jq
story_begins

# Looking on: the size that is told grows, and is not more than there is; nothing is disturbed.
half "put $WORK/in incoming/file" 500000 8000
last=0 grows=0
while [ $grows -lt 3 ] && alive "$CLIENT"; do
	size=$(size_for alice incoming/file)
	size=${size:-0}
	[ "$size" -ge "$last" ] || flunk "the size does not shrink: $last, then $size"
	[ "$size" -eq "$last" ] || grows=$((grows + 1))
	last=$size
	sleep 0.2
done
[ $grows -gt 0 ]
is 'who looks on sees it grow' $? 0
[ "$last" -le 8000000 ]
is 'and no more than there is' $? 0
gone "$CLIENT"
unlike 'to its end' "$(<"$WORK/client.out")" 'Failure|remote|refused|taken'
whole 'looked at' file

# The size is told, the other connection writes on, then the second one goes on from what it
# was told: what the first one wrote meanwhile comes again, and stands there once.
if python -c 'import paramiko' 2>/dev/null; then
	slow_reput() {
		in_time /usr/bin/python3 "$top_srcdir/tests/talk/slow-reput.py" \
			"$PORT" "$WORK/alice.key" "$WORK/known_hosts" "$WORK/in" incoming/file "$1"
	}
	for wait in 0 3; do
		half "put $WORK/in incoming/file" 500000 4000
		ok "told, then $wait s: alice goes on" slow_reput $wait
		like "told, then $wait s: from what she was told" "$OUT" 'told [0-9]+.done'
		cut_off
		whole "told, then $wait s" file
	done
	half "put $WORK/in incoming/file" 500000 4000
	known() { [ "$(size_for alice incoming/file)" -gt 0 ]; }
	wait_for 20 known
	ok 'told some, then 2 s: alice goes on' slow_reput 2
	like 'told some, then 2 s: from there' "$OUT" 'told [1-9][0-9]*.done'
	cut_off
	whole 'told some, then 2 s' file
else
	skip 'told, grown, gone on with' 'paramiko is not installed'
fi

story_ends
