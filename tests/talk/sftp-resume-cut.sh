#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Connections that are cut by the network: reset, closed, or gone without a word, at many places of
# an upload; and going on at once, and after minutes (seconds in the short form).
. "${top_srcdir:-.}/tests/talk/resume-lib.sh"
need sftp ssh-keygen jq
story_begins
start_relay
PLACES=8 MINUTES_S=5
if [ -n "${DROPKEEP_LONG-}" ]; then
	PLACES=100 MINUTES_S=300
fi

# cut_at BYTES HOW COMMAND: alice's client has sent so many bytes when the network fails.
cut_at() {
	local bytes=$1 how=$2
	shift 2
	relay after "$bytes" "$how"
	PORT=$RELAY begin "$*" 400000
	relay_acts
	if [ "$how" = freeze ]; then
		kill -KILL "$CLIENT" # its own end is not heard of, either
	fi
	gone "$CLIENT"
}

for how in reset close; do
	cut_at 3000000 $how "put $WORK/in incoming/file"
	wait_for 10 no_uploads
	unfinished "$how" file
	completes "$how" file
	is "$how: the log knows all of it" "$(history /acme/incoming/file)" \
		'upload.open upload.suspend upload.resume upload.complete download.open download.close file.remove '
done

# Nobody has told the gate: the one that went silent is still open when the next one comes. What is
# told of it is what was synced, within two seconds.
cut_at 3000000 freeze "put $WORK/in incoming/file"
told() { [ "$(size_for alice incoming/file)" -gt 0 ]; }
wait_for 10 told
unfinished 'silence' file
completes 'silence' file
is 'silence: the log knows all of it' "$(history /acme/incoming/file)" \
	'upload.open upload.suspend upload.resume upload.complete download.open download.close file.remove '
relay reset

# After a long time: with a connection that ended, and with one that has been silent all along.
cut_at 3000000 reset "put $WORK/in incoming/file"
wait_for 10 no_uploads
before=$(size_for alice incoming/file)
sleep "$MINUTES_S"
is "$MINUTES_S s later: the size is the same" "$(size_for alice incoming/file)" "$before"
completes "$MINUTES_S s later" file
cut_at 3000000 freeze "put $WORK/in incoming/file"
sleep "$MINUTES_S"
completes "$MINUTES_S s of silence later" file
relay reset

# reput, through one cut after the other.
cut_at 1500000 reset "put $WORK/in incoming/file"
cut_at 1500000 close "reput $WORK/in incoming/file"
cut_at 1500000 freeze "reput $WORK/in incoming/file"
cut_at 1500000 reset "reput $WORK/in incoming/file"
relay reset
completes 'cut four times' file

# Anywhere: from the first packets of SSH on, at no round numbers. What is left is nothing, or goes
# on to be whole; whatever alice was told of its size is true.
head -c 1000000 "$WORK/in" >"$WORK/small"
WHOLE=$WORK/small
left=0
for ((i = 1; i <= PLACES; i++)); do
	at=$((2000 + i * 1000003 / PLACES - RANDOM % (900000 / PLACES)))
	how=reset
	[ $((i % 3)) -ne 0 ] || how=close
	cut_at $at $how "put $WORK/small incoming/file"
	wait_for 10 no_uploads
	if [ -n "$(size_for bob /acme/incoming/file)" ]; then
		flunk "cut at $at: bob sees nothing"
	fi
	size=$(size_for alice incoming/file)
	if [ -n "$size" ]; then
		left=$((left + 1))
		ok "cut at $at, $how, $size bytes: alice goes on" sftp_as alice <<<"reput $WORK/small incoming/file"
	else
		ok "cut at $at, $how, nothing: alice begins anew" sftp_as alice <<<"put $WORK/small incoming/file"
	fi
	whole "cut at $at" file
done
[ $left -gt 0 ]
is 'parts were left' $? 0
diag "$PLACES cuts, $left parts left"

story_ends
