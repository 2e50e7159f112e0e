#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# rclone does not resume uploads: it tries again, from the beginning, by itself and in another run.
# What it was cut off at is in nobody's way, and never taken for what it was to be.
. "${top_srcdir:-.}/tests/talk/resume-lib.sh"
need rclone sftp ssh-keygen jq
GATES_MAY_DIE=1
story_begins
start_relay

printf '[alice]\ntype = sftp\nhost = 127.0.0.1\nuser = alice\nkey_file = %s\nknown_hosts_file = %s\nshell_type = none\ndisable_hashcheck = true\n' \
	"$WORK/alice.key" "$WORK/known_hosts" >"$WORK/rclone.conf"
rclone_do() {
	HOME=$WORK in_time rclone --config "$WORK/rclone.conf" --sftp-port "$PORT" --contimeout 20s \
		--timeout 30s --low-level-retries 3 --retries-sleep 500ms "$@"
}
one_name() { is "$1: and nothing beside it" "$(sftp_as bob <<<'ls -1 /acme/incoming' | tail -n +2)" /acme/incoming/file; }

for how in reset close; do
	relay after 3000000 $how
	PORT=$RELAY ok "$how: rclone tries again by itself" rclone_do copyto "$WORK/in" alice:incoming/file
	relay_acts
	one_name "$how"
	whole "$how" file
done

# cut_at BYTES HOW COMMAND…: one that is killed when the network fails.
cut_at() {
	local bytes=$1 how=$2
	shift 2
	relay after "$bytes" freeze
	PORT=$RELAY rclone_do "$@" >"$WORK/client.out" 2>&1 &
	adopt $!
	relay_acts
	# shellcheck disable=SC2046
	kill -KILL $(of_client)
	gone "$CLIENT"
	[ "$how" = freeze ] || relay "$how"
}

for how in reset freeze; do
	cut_at 3000000 $how copyto "$WORK/in" alice:incoming/file
	is "$how, killed: bob sees nothing" "$(names_for bob /acme/incoming)" ''
	ok "$how, killed: another one does it" rclone_do copyto "$WORK/in" alice:incoming/file
	is "$how, killed: under its name" "$(size_for bob /acme/incoming/file)" 8000000
	said_by sftp_as alice <<<'rm incoming/*.partial' # of rclones that upload under such a name
	whole "$how, killed" file
	relay reset
done

# Onto a finished shorter file, with a cut: that one stays until the new one is there.
ok 'a version' sftp_as alice <<<"put $WORK/short incoming/file"
cut_at 3000000 reset copyto "$WORK/in" alice:incoming/file
is 'onto a version: which stays' "$(size_for bob /acme/incoming/file)" 3000001
ok 'onto a version: another one does it' rclone_do copyto "$WORK/in" alice:incoming/file
said_by sftp_as alice <<<'rm incoming/*.partial'
whole 'onto a version' file

# The keep dies and comes again while it is at work.
relay after 3000000 freeze
PORT=$RELAY rclone_do copyto "$WORK/in" alice:incoming/file >"$WORK/client.out" 2>&1 &
CLIENT=$!
own "$CLIENT"
relay_acts
crash_keep
run_keep
relay reset
wait "$CLIENT"
is 'keep killed: rclone does it all the same' $? 0
whole 'keep killed' file

# A tree, through three cuts: each may end a try, of which rclone makes three where it is not told.
mkdir -p "$WORK/tree/deep"
for i in 1 2 3 4 5 6; do
	random_file "$WORK/tree/deep/$i" $((i * 300000))
done
relay after 1000000 reset
PORT=$RELAY rclone_do copy --retries 6 "$WORK/tree" alice:incoming/tree >"$WORK/client.out" 2>&1 &
CLIENT=$!
own "$CLIENT"
for _ in 1 2; do
	relay_acts
	relay after 1000000 reset
done
relay_acts
wait "$CLIENT"
is 'a tree through three cuts' $? 0 || diag_file "$WORK/client.out"
ok 'bob gets it' sftp_as bob <<<"get -r /acme/incoming/tree $WORK/back"
ok 'and it is the same' diff -r "$WORK/tree" "$WORK/back"
ok 'it is removed' rclone_do purge alice:incoming/tree

story_ends
