#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# lftp goes on: put -c and mirror -R -c in another lftp, onto what was cut off and onto finished
# shorter files; and by itself, when the network fails while it is at work.
. "${top_srcdir:-.}/tests/talk/resume-lib.sh"
need lftp sftp ssh-keygen jq
GATES_MAY_DIE=1
story_begins
start_relay

# alice_lftp RETRIES COMMANDS: the first that fails ends it.
alice_lftp() {
	ssh_options alice
	HOME=$WORK in_time lftp -c "set cmd:fail-exit yes; set net:max-retries $1; set net:timeout 20;
		set net:reconnect-interval-base 1; set net:reconnect-interval-multiplier 1;
		set sftp:auto-confirm no;
		set sftp:connect-program \"ssh -a -x ${SSH_OPTIONS[*]}\";
		open -u alice,no-password sftp://127.0.0.1:$PORT; $2"
}
# cut_at BYTES HOW COMMAND: an lftp that cannot try again, for it is killed.
cut_at() {
	relay after "$1" freeze
	PORT=$RELAY alice_lftp 1 "$3" >"$WORK/client.out" 2>&1 &
	adopt $!
	relay_acts
	# shellcheck disable=SC2046
	kill -KILL $(of_client)
	gone "$CLIENT"
	[ "$2" = freeze ] || relay "$2"
}
goes_on() {
	wait_for 10 no_uploads
	ok "$1: alice goes on" alice_lftp 1 "put -c $WHOLE -o incoming/file"
	whole "$1" file
}

for how in reset close; do
	cut_at 3000000 $how "put $WORK/in -o incoming/file"
	wait_for 10 no_uploads
	unfinished "$how" file
	goes_on "$how"
done

cut_at 3000000 freeze "put $WORK/in -o incoming/file"
told() { [ "$(size_for alice incoming/file)" -gt 0 ]; }
wait_for 10 told
ok 'silence: alice goes on' alice_lftp 1 "put -c $WORK/in -o incoming/file"
whole 'silence' file
relay reset

cut_at 3000000 freeze "put $WORK/in -o incoming/file"
wait_for 10 told
crash_keep
relay reset
run_keep
unfinished 'keep killed' file
goes_on 'keep killed'

for size in 0 1 65536 3000001; do
	head -c "$size" "$WORK/in" >"$WORK/beginning"
	ok "$size bytes are there" alice_lftp 1 "put $WORK/beginning -o incoming/file"
	goes_on "finished with $size bytes"
done

# It tries again by itself, from where it is told that the upload ends.
for command in put 'put -c'; do
	relay after 3000000 reset
	PORT=$RELAY ok "$command through a cut" alice_lftp 5 "$command $WORK/in -o incoming/file"
	whole "$command through a cut" file
done

# Trees.
mkdir -p "$WORK/tree/deep"
for i in 1 2 3 4; do
	random_file "$WORK/tree/deep/$i" $((i * 700000))
done
cp "$WORK/in" "$WORK/tree/large"
cut_at 6000000 reset "mirror -R $WORK/tree incoming/tree"
wait_for 10 no_uploads
[ "$(names_for bob '/acme/incoming/tree /acme/incoming/tree/deep' | grep -c .)" -lt 6 ]
is 'a tree is cut off in the middle' $? 0
ok 'mirror -R -c goes on with it' alice_lftp 1 "mirror -R -c $WORK/tree incoming/tree"
ok 'bob gets it' sftp_as bob <<<"get -r /acme/incoming/tree $WORK/back"
ok 'and it is the same' diff -r "$WORK/tree" "$WORK/back"
head -c 500000 "$WORK/tree/deep/4" >"$WORK/beginning"
ok 'a finished shorter file in the tree' sftp_as alice <<<"put $WORK/beginning incoming/tree/deep/4"
ok 'mirror -R -c goes on with that' alice_lftp 1 "mirror -R -c $WORK/tree incoming/tree"
discard "$WORK/back"
ok 'bob gets it' sftp_as bob <<<"get -r /acme/incoming/tree $WORK/back"
ok 'and it is the same' diff -r "$WORK/tree" "$WORK/back"
ok 'it is removed' alice_lftp 1 'rm -r incoming/tree'

story_ends
