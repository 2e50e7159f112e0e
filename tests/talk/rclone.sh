#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# rclone, whose SFTP is written in Go: it sends under names of its own (.partial) and renames,
# looks at what it has sent, sets times, and compares.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need rclone ssh-keygen

start_keep
add_zone acme
add_user alice client acme
add_user bob staff acme

# It runs commands on the server for hashes where it may; there is no shell here.
for user in alice bob; do
	printf '[%s]\ntype = sftp\nhost = 127.0.0.1\nport = %s\nuser = %s\nkey_file = %s\nknown_hosts_file = %s\nshell_type = none\ndisable_hashcheck = true\n\n' \
		"$user" "$PORT" "$user" "$WORK/$user.key" "$WORK/known_hosts"
done >"$WORK/rclone.conf"
rclone_do() {
	HOME=$WORK in_time rclone --config "$WORK/rclone.conf" --retries 1 --low-level-retries 2 \
		--contimeout 20s --timeout 30s "$@"
}

mkdir -p "$WORK/tree/deep/deeper"
random_file "$WORK/tree/a" 3M
random_file "$WORK/tree/deep/b b" 65536
random_file "$WORK/tree/deep/deeper/ü" 1
: >"$WORK/tree/deep/none"
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	random_file "$WORK/tree/deep/$i" $((i * 33333))
done
touch -d 2012-01-02T03:04:05Z "$WORK/tree/deep/3"

ok 'alice copies a tree there' rclone_do copy "$WORK/tree" alice:/acme/incoming/tree
ok 'bob copies it here' rclone_do copy bob:/acme/incoming/tree "$WORK/back"
ok 'and it is the same' diff -r "$WORK/tree" "$WORK/back"
is 'times included' "$(stat -c %Y "$WORK/back/deep/3")" "$(stat -c %Y "$WORK/tree/deep/3")"
ok 'sizes and times agree' rclone_do check "$WORK/tree" alice:/acme/incoming/tree --size-only
ok 'and every byte of it' rclone_do check "$WORK/tree" bob:/acme/incoming/tree --download
ok 'again: nothing to do' rclone_do copy -v "$WORK/tree" alice:/acme/incoming/tree
unlike 'and nothing is done' "$OUT" 'Copied \('
ok 'no name of its own is left' rclone_do lsf -R bob:/acme/incoming
unlike 'but those that were sent' "$OUT" 'partial'
like 'which are there' "$OUT" 'tree/deep/b b'

random_file "$WORK/tree/a" 2M
rm "$WORK/tree/deep/7"
ok 'a tree in step: changed, and what is gone' rclone_do sync "$WORK/tree" alice:/acme/incoming/tree
discard "$WORK/back"
ok 'bob has it' rclone_do copy bob:/acme/incoming/tree "$WORK/back"
ok 'as it is now' diff -r "$WORK/tree" "$WORK/back"
ok 'one large file in pieces at once' rclone_do copyto --multi-thread-streams 4 \
	--multi-thread-cutoff 1M bob:/acme/incoming/tree/a "$WORK/pieces"
same_file 'is whole' "$WORK/pieces" "$WORK/tree/a"
ok 'from standard input, of unknown length' rclone_do rcat alice:/acme/incoming/stream <"$WORK/tree/a"
ok 'and out again' rclone_do copyto bob:/acme/incoming/stream "$WORK/stream"
same_file 'the same' "$WORK/stream" "$WORK/tree/a"
ok 'a move on the server' rclone_do moveto alice:/acme/incoming/stream alice:/acme/incoming/moved
ok 'all of it is removed' rclone_do purge alice:/acme/incoming/tree
ok 'free space is told' rclone_do about alice:

refuses 'a refusal' rclone_do copyto "$WORK/tree/a" alice:/acme/deliverables/a
refuses 'another zone' rclone_do lsf alice:/other
stop_keep

done_testing
