#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Two connections of one user at one upload: the newcomer has it at once, whether the other one
# is alive, stopped or half dead; who only looks disturbs nobody; any size that was told is one to
# go on from.
. "${top_srcdir:-.}/tests/talk/resume-lib.sh"
need sftp ssh-keygen jq
story_begins
start_relay

# soon WHAT COMMAND…: within much less than the five seconds that a gate has to let go.
soon() {
	local what=$1 began=${EPOCHREALTIME/./}
	shift
	ok "$what" "$@"
	[ $((${EPOCHREALTIME/./} - began)) -lt 4000000 ]
	is "$what: at once" $? 0
}
told() { gone "$CLIENT"; like "$1: the one that lost it is told" "$(<"$WORK/client.out")" 'Failure|No such file|Permission|taken'; }

half "put $WORK/in incoming/file"
kill -STOP "$CLIENT" "$CLIENT_SSH"
soon 'stopped: alice goes on' sftp_as alice <<<"reput $WORK/in incoming/file"
kill -CONT "$CLIENT" "$CLIENT_SSH"
told 'stopped'
whole 'stopped' file

half "put $WORK/in incoming/file"
kill -STOP "$CLIENT" "$CLIENT_SSH"
soon 'stopped: alice begins anew' sftp_as alice <<<"put $WORK/in incoming/file"
kill -CONT "$CLIENT" "$CLIENT_SSH"
told 'stopped, begun anew'
whole 'stopped, begun anew' file

half "put $WORK/in incoming/file"
soon 'alive: alice goes on' sftp_as alice <<<"reput $WORK/in incoming/file"
told 'alive'
whole 'alive' file

# A cable that was pulled: nobody will ever hear of that connection again.
relay after 3000000 freeze
PORT=$RELAY begin "put $WORK/in incoming/file" 400000
relay_acts
soon 'half dead: alice goes on' sftp_as alice <<<"reput $WORK/in incoming/file"
whole 'half dead' file
kill -KILL "$CLIENT"
gone "$CLIENT"
relay reset

# What comes late of the first one is not written into what the second one made of it.
relay after 3000000 freeze
PORT=$RELAY begin "put $WORK/in incoming/file" 400000
relay_acts
half "reput $WORK/in incoming/file"
SECOND=$CLIENT SECOND_SSH=$CLIENT_SSH
relay thaw
wait_for 20 grep -q . "$WORK/client.out"
kill -KILL "$SECOND" "$SECOND_SSH"
gone "$SECOND"
unfinished 'thawed' file
completes 'thawed' file

# Looking on: the size that is told grows, and is not more than there is; nothing is disturbed.
half "put $WORK/in incoming/file" 1000000 8000
last=0
grows=0
for _ in {1..12}; do
	size=$(size_for alice incoming/file)
	size=${size:-0}
	[ "$size" -ge "$last" ] || flunk "the size does not shrink: $last, then $size"
	[ "$size" -eq "$last" ] || grows=$((grows + 1))
	last=$size
	sleep 0.3
done
[ "$grows" -gt 0 ]
is 'who looks on sees it grow' $? 0
[ "$last" -le 8000000 ]
is 'and no more than there is' $? 0
alive "$CLIENT"
is 'while it goes on undisturbed' $? 0
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
		half "put $WORK/in incoming/file" 1000000 8000
		ok "told, then $wait s: alice goes on" slow_reput $wait
		like "told, then $wait s: from what she was told" "$OUT" 'told [0-9]+.done'
		told "told, then $wait s"
		whole "told, then $wait s" file
	done
	half "put $WORK/in incoming/file" 1000000 8000
	known() { [ "$(size_for alice incoming/file)" -gt 0 ]; }
	wait_for 20 known
	ok 'told some, then 2 s: alice goes on' slow_reput 2
	like 'told some, then 2 s: from there' "$OUT" 'told [1-9][0-9]*.done'
	told 'told some, then 2 s'
	whole 'told some, then 2 s' file
else
	skip 'told, grown, gone on with' 'paramiko is not installed'
fi

story_ends
