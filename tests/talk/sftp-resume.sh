#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Uploads that were cut off, in every way that a client, a gate or the keep can come to an end,
# and how they go on. What is not finished is seen by its sender alone; what went on is whole.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need sftp ssh-keygen jq
GATES_MAY_DIE=1

new_keep
set_conf limits drain 1s
run_keep
add_zone acme
add_user alice client acme
add_user anna client acme
add_user bob staff acme
random_file "$WORK/in" 8000000
head -c 3000001 "$WORK/in" >"$WORK/short"
random_file "$WORK/large" 220M
WHOLE=$WORK/in

# --- cutting off -------------------------------------------------------------------------

# begin COMMAND KBIT: alice's sftp with it, at so many kbit/s; its process is $CLIENT. Disowned,
# so that the shell has no comment on its death.
begin() {
	ssh_options alice
	sftp -q -b - -l "$2" -P "$PORT" "${SSH_OPTIONS[@]}" alice@127.0.0.1 <<<"$1" >"$WORK/client.out" 2>&1 &
	CLIENT=$!
	own "$CLIENT"
	disown "$CLIENT"
}

stored() { du -sb "$STATE/blobs" | cut -f 1; }
stored_more() { [ "$(stored)" -ge "$1" ]; }

# half COMMAND [BYTES KBIT]: begin it, and wait until so much (2 MB) of it is stored; its ssh is
# $CLIENT_SSH.
half() {
	local before
	before=$(stored)
	begin "$1" "${3-32000}"
	wait_for 30 stored_more $((before + ${2-2000000})) ||
		{ flunk "a good part arrives of: $1" "$(<"$WORK/client.out")"; return 1; }
	CLIENT_SSH=$(<"/proc/$CLIENT/task/$CLIENT/children")
	alive "$CLIENT" || flunk "the client is at work: $1" "$(<"$WORK/client.out")"
}

# gone PID: it has ended, whatever its status.
gone() { wait_for 30 not alive "$1" || flunk 'the client ends' "$(<"$WORK/client.out")"; }

cut_off() {
	kill -KILL "$CLIENT" $CLIENT_SSH
	gone "$CLIENT"
}

no_uploads() { ctl --json sessions | jq -es 'map(.puts) | add // 0 | . == 0' >/dev/null; }

size_for() { sftp_as "$1" <<<"ls -ln $2" 2>/dev/null | awk 'END { print $5 }'; }
names_for() { sftp_as "$1" <<<"ls -1 $2" 2>/dev/null | tail -n +2 | sed 's|.*/||'; }

# unfinished WHAT NAME: it is there for alice, in part, and for nobody else.
unfinished() {
	local size
	size=$(size_for alice "incoming/$2")
	[ "${size:-0}" -gt 0 ] && [ "$size" -lt "$(size_of "$WHOLE")" ]
	is "$1: alice sees a part of it" "$?" 0
	is "$1: bob sees nothing" "$(names_for bob /acme/incoming)" ''
	refuses "$1: nor gets it" sftp_as bob <<<"get /acme/incoming/$2 $WORK/none"
	refuses "$1: nor does anna get the name" sftp_as anna <<<"put $WORK/short incoming/$2"
}

# completes WHAT NAME: reput, and it is whole. Removed again, for the next one.
completes() {
	ok "$1: alice goes on with it" sftp_as alice <<<"reput $WHOLE incoming/$2"
	rm -f "$WORK/out"
	ok "$1: bob gets it" sftp_as bob <<<"get /acme/incoming/$2 $WORK/out"
	same_file "$1: and it is whole" "$WORK/out" "$WHOLE"
	ok "$1: it is removed" sftp_as alice <<<"rm incoming/$2"
	is "$1: and nothing of it is left" "$(names_for alice incoming)" ''
}

# --- finished files ----------------------------------------------------------------------

ok 'a shorter file is there' sftp_as alice <<<"put $WORK/short incoming/file"
completes 'finished and shorter' file
: >"$WORK/empty"
ok 'an empty file is there' sftp_as alice <<<"put $WORK/empty incoming/file"
completes 'finished and empty' file
refuses 'there is nothing to go on with' sftp_as alice <<<"reput $WORK/in incoming/nothing"
ok 'a whole file is there' sftp_as alice <<<"put $WORK/in incoming/file"
refuses 'reput has nothing to add to it' sftp_as alice <<<"reput $WORK/in incoming/file"
head -c 2500000 "$WORK/in" >"$WORK/part"
ok 'bob goes on with a download' sftp_as bob <<<"reget /acme/incoming/file $WORK/part"
same_file 'and has it all' "$WORK/part" "$WORK/in"
ok 'it is removed' sftp_as alice <<<'rm incoming/file'

# --- the client's end --------------------------------------------------------------------

half "put $WORK/in incoming/file"
cut_off
unfinished 'client killed' file
refuses 'its sender cannot read it' sftp_as alice <<<"get incoming/file $WORK/none"
completes 'client killed' file
is 'the log knows that it was resumed' \
	"$(ctl --json audit query --user alice --event upload.complete --limit 1 | jq .resumed)" true

half "put $WORK/in incoming/file"
kill -KILL "$CLIENT"
gone "$CLIENT"
unfinished 'connection closed in good order' file
completes 'connection closed in good order' file

half "put $WORK/in incoming/file"
cut_off
half "reput $WORK/in incoming/file"
cut_off
unfinished 'cut off twice' file
completes 'cut off twice' file

half "put $WORK/in incoming/file"
cut_off
ok 'a part moves' sftp_as alice <<<'rename incoming/file incoming/moved'
unfinished 'moved' moved
completes 'moved' moved

half "put $WORK/in incoming/file"
cut_off
ok 'a part can be removed' sftp_as alice <<<'rm incoming/file'
is 'and is gone' "$(names_for alice incoming)" ''

half "put $WORK/in incoming/file"
cut_off
ok 'put begins anew' sftp_as alice <<<"put $WORK/short incoming/file"
ok 'bob gets what was put then' sftp_as bob <<<"get /acme/incoming/file $WORK/out"
same_file 'and nothing of the part' "$WORK/out" "$WORK/short"

# A part beside a finished version: everybody else sees the version.
half "reput $WORK/in incoming/file"
cut_off
wait_for 10 no_uploads
is 'the version stays for bob' "$(size_for bob /acme/incoming/file)" 3000001
ok 'who gets it' sftp_as bob <<<"get /acme/incoming/file $WORK/out"
same_file 'as it was' "$WORK/out" "$WORK/short"
size=$(size_for alice incoming/file)
[ "$size" -gt 3000001 ]
is 'while alice sees how far the next one is' $? 0
completes 'a part beside a version' file

# A client that is stopped keeps its connection; its second one takes the upload over.
half "put $WORK/in incoming/file"
kill -STOP "$CLIENT" $CLIENT_SSH
completes 'taken over' file
kill -CONT "$CLIENT" $CLIENT_SSH
gone "$CLIENT"
like 'the one that lost it is told' "$(<"$WORK/client.out")" 'Failure|No such file|Permission'
is 'and leaves nothing' "$(names_for alice incoming)" ''

# --- Ctrl-C ------------------------------------------------------------------------------

# OpenSSH's sftp ends an interrupted put by an ordinary CLOSE: that publishes what came
# (doc/SECURITY.md: CLOSE is not a promise). An interrupted reput shrinks the file first, to
# what it knows was acknowledged: from OpenSSH 10 on that may be all of it, which is no shrinking,
# and what came is published as with put.
shrinks() { [ "$(ssh -V 2>&1 | sed 's/^OpenSSH_\([0-9]*\).*/\1/')" -lt 10 ] || [ -z "$(names_for bob /acme/incoming)" ]; }
half "put $WORK/in incoming/file"
kill -INT "$CLIENT"
gone "$CLIENT"
completes 'Ctrl-C in put' file

half "put $WORK/in incoming/file"
cut_off
wait_for 10 no_uploads
before=$(size_for alice incoming/file)
half "reput $WORK/in incoming/file"
kill -INT "$CLIENT"
gone "$CLIENT"
wait_for 10 no_uploads
if shrinks; then
	unfinished 'Ctrl-C in reput' file
fi
after=$(size_for alice incoming/file)
[ "$after" -ge "$before" ]
is 'Ctrl-C in reput: nothing is lost by it' $? 0
completes 'Ctrl-C in reput' file

# --- the server's end --------------------------------------------------------------------

# Of what no gate has taken leave of, that counts which was synced and told to the keep: of a
# large file all but the last 64 MiB.
WHOLE=$WORK/large
half "put $WORK/large incoming/file" 100000000 400000
gates=$(gate_pids)
for gate in $gates; do
	kill -KILL "$gate"
done
gone "$CLIENT"
wait_for 20 ctl status
unfinished 'gates killed' file
completes 'gates killed' file
is 'each gate was replaced' "$(gate_pids | wc -l)" "$(wc -w <<<"$gates")"
is 'the log knows of each' \
	"$(ctl --json audit query --event gate.crash | jq -s length)" "$(wc -w <<<"$gates")"

WHOLE=$WORK/in
half "put $WORK/in incoming/file"
stop_keep 'the keep stops in mid-upload'
gone "$CLIENT"
run_keep
unfinished 'keep restarted' file
completes 'keep restarted' file

WHOLE=$WORK/large
half "put $WORK/large incoming/file" 100000000 400000
crash_keep
gone "$CLIENT"
run_keep
unfinished 'keep killed' file
completes 'keep killed' file

# A download that is cut off; and one that outlives the file.
ok 'a file to get' sftp_as alice <<<"put $WORK/in incoming/file"
ssh_options bob
sftp -q -b - -l 32000 -P "$PORT" "${SSH_OPTIONS[@]}" bob@127.0.0.1 >"$WORK/client.out" 2>&1 \
	<<<"get /acme/incoming/file $WORK/cut" &
CLIENT=$!
own "$CLIENT"
disown "$CLIENT"
cut_more() { [ "$(size_of "$WORK/cut")" -ge 2000000 ]; }
wait_for 20 cut_more
kill -KILL "$CLIENT"
gone "$CLIENT"
no_sessions() { [ "$(ctl --json sessions | wc -l)" -eq 0 ]; }
ok 'his session ends with his client' wait_for 10 no_sessions
ok 'bob goes on with what was cut off' sftp_as bob <<<"reget /acme/incoming/file $WORK/cut"
same_file 'and has it all' "$WORK/cut" "$WORK/in"
sftp -q -b - -l 32000 -P "$PORT" "${SSH_OPTIONS[@]}" bob@127.0.0.1 >"$WORK/client.out" 2>&1 \
	<<<"get /acme/incoming/file $WORK/late" &
CLIENT=$!
own "$CLIENT"
wait_for 20 test -s "$WORK/late"
ok 'alice removes what bob is reading' sftp_as alice <<<'rm incoming/file'
wait "$CLIENT"
is 'who reads it to the end' $? 0
same_file 'as it was' "$WORK/late" "$WORK/in"

blobs() { find "$STATE/blobs" "$STATE/uploads" -type f | wc -l; }
no_blobs() { [ "$(blobs)" -eq 0 ]; }
wait_for 20 no_blobs
is 'nothing of all this is left on disk' "$(blobs)" 0
ok 'the log verifies' ctl audit verify
ok 'and all is well' ctl check --deep
stop_keep

done_testing
