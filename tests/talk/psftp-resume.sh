#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# psftp's reput, which opens first, asks for the size of what it has opened, and writes from
# there: after cut connections, Ctrl-C and ends of the server, and onto finished files.
. "${top_srcdir:-.}/tests/talk/resume-lib.sh"
need psftp puttygen sftp ssh-keygen jq
GATES_MAY_DIE=1
story_begins
start_relay
HOSTKEY=$(ssh-keygen -lf "$STATE/keys/ssh_host_ed25519_key.pub" | cut -d ' ' -f 2)
puttygen "$WORK/alice.key" -O private -o "$WORK/alice.ppk" >"$WORK/puttygen.out" 2>&1 ||
	{ diag_file "$WORK/puttygen.out"; bail_out 'puttygen does not convert a key'; }

# alice_psftp [PORT]: commands come from standard input. (What starts it in the background has it
# ignore SIGINT, which a user's shell does not.)
alice_psftp() {
	HOME=$WORK timeout -k 5 60 env --default-signal=INT psftp -batch -P "${1-$PORT}" -i "$WORK/alice.ppk" \
		-hostkey "$HOSTKEY" -b /dev/stdin alice@127.0.0.1
}

# cut_at BYTES HOW COMMAND
cut_at() {
	relay after "$1" "$2"
	alice_psftp "$RELAY" <<<"$3" >"$WORK/client.out" 2>&1 &
	adopt $!
	relay_acts
}
goes_on() {
	wait_for 10 no_uploads
	ok "$1: alice goes on" alice_psftp <<<"reput $WHOLE incoming/file"
	whole "$1" file
}

for how in reset close; do
	cut_at 3000000 $how "put $WORK/in incoming/file"
	gone "$CLIENT"
	wait_for 10 no_uploads
	unfinished "$how" file
	goes_on "$how"
done

cut_at 3000000 freeze "put $WORK/in incoming/file"
kill -INT "$(of_client psftp)"
gone "$CLIENT"
relay thaw
wait_for 10 no_uploads
unfinished 'Ctrl-C' file
cut_at 2000000 freeze "reput $WORK/in incoming/file"
kill -INT "$(of_client psftp)"
gone "$CLIENT"
relay thaw
wait_for 10 no_uploads
unfinished 'Ctrl-C in reput' file
goes_on 'Ctrl-C in reput'

# A silent connection still has it: the newcomer takes it over, and what it is told is exact.
cut_at 3000000 freeze "put $WORK/in incoming/file"
ok 'silence: alice goes on' alice_psftp <<<"reput $WORK/in incoming/file"
whole 'silence' file
relay reset
gone "$CLIENT"

cut_at 3000000 freeze "put $WORK/in incoming/file"
told() { [ "$(size_for alice incoming/file)" -gt 0 ]; }
wait_for 10 told
crash_keep
relay reset
gone "$CLIENT"
run_keep
unfinished 'keep killed' file
goes_on 'keep killed'

for size in 0 1 65536 3000001; do
	head -c "$size" "$WORK/in" >"$WORK/beginning"
	ok "$size bytes are there" alice_psftp <<<"put $WORK/beginning incoming/file"
	goes_on "finished with $size bytes"
done

# Begun by one program, finished by another.
cut_at 3000000 reset "put $WORK/in incoming/file"
gone "$CLIENT"
completes 'begun by psftp, finished by sftp' file
half "put $WORK/in incoming/file"
cut_off
goes_on 'begun by sftp, finished by psftp'

story_ends
