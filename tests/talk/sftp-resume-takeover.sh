#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Two connections of one user at one upload: the newcomer has it at once, whether the other one
# is alive, stopped or half dead.
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

# Slow enough to be at work still when the newcomer has logged in.
half "put $WORK/in incoming/file" 1000000 12000
soon 'alive: alice goes on' sftp_as alice <<<"reput $WORK/in incoming/file"
told 'alive'
is 'alive: the log knows all of it' "$(history /acme/incoming/file)" \
	'upload.open upload.suspend upload.resume upload.complete '
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
half "reput $WORK/in incoming/file" 500000 4000
SECOND=$CLIENT SECOND_SSH=$CLIENT_SSH
relay thaw
wait_for 20 grep -q . "$WORK/client.out"
kill -KILL "$SECOND" "$SECOND_SSH"
gone "$SECOND"
wait_for 20 no_uploads
unfinished 'thawed' file
completes 'thawed' file

# A gate that does not let go: after five seconds it has lost the upload, which goes on under
# another key. What it does when it wakes up counts no more.
if [ "$(gate_pids | wc -l)" -gt 1 ]; then
	durable() { [ "$(size_for alice incoming/file)" -gt 0 ]; }
	half "put $WORK/in incoming/file" 500000 8000
	wait_for 20 durable
	number=$(ctl --json sessions | jq 'select(.puts > 0) | .gate')
	gate=$(ctl --json status | jq ".gates[] | select(.number == $number) | .pid")
	kill -STOP "$gate"
	# New connections may wait for the one that sleeps.
	again() { CLIENT_SECONDS=10 sftp_as alice <<<"reput $WORK/in incoming/file"; }
	ok 'a gate sleeps: alice goes on' wait_for 60 again
	kill -CONT "$gate"
	told 'a gate sleeps'
	whole 'a gate sleeps' file
else
	skip 'a gate sleeps: alice goes on' 'there is but one gate'
fi

story_ends
