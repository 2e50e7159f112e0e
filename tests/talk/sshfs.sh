#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A zone as a file system: sshfs writes out of order, opens for reading and writing, reopens and
# appends, truncates and renames as programs do, and looks at everything all the time.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need ssh-keygen jq
can_mount || skip_all 'no sshfs, or no FUSE'

start_keep
add_zone acme
add_user alice client acme
add_user bob staff acme
# Staff may send to itself here, to read back what it wrote.
ctl grant bob acme:deliverables lrwomd >"$WORK/grant.out"

mkdir "$WORK/alice" "$WORK/bob"
sshfs_as bob "$WORK/bob" -o dir_cache=no,attr_timeout=0,entry_timeout=0 >"$WORK/sshfs.out" 2>&1 ||
	{ diag_file "$WORK/sshfs.out"; skip_all 'FUSE cannot mount here'; }
ok 'alice mounts her zone' sshfs_as alice "$WORK/alice" -o dir_cache=no,attr_timeout=0,entry_timeout=0
IN=$WORK/alice/incoming
OUTBOX=$WORK/bob/deliverables
random_file "$WORK/in" 3M

# Every access has a limit: a file system that hangs cannot be interrupted otherwise. close(2)
# of a FUSE file does not wait for the CLOSE that follows it, so that others wait here.
no_puts() { ctl --json sessions | jq -es 'map(.puts) | add // 0 | . == 0' >/dev/null; }
copy() { in_time cp "$@"; }
both() { wait_for 20 no_puts && in_time cmp "$@"; }
same_tree() { wait_for 20 no_puts && in_time diff -r "$@"; }

ok 'a file goes in' copy "$WORK/in" "$IN/report"
ok 'and bob reads it' both "$WORK/bob/incoming/report" "$WORK/in"
is 'its size is known at once' "$(size_of "$IN/report")" 3145728
refuses 'alice cannot read it' in_time cat "$IN/report"
refuses 'there is nothing straight into the zone' copy "$WORK/in" "$WORK/alice/report"
refuses 'nor for her in deliverables' copy "$WORK/in" "$WORK/alice/deliverables/report"

mkdir -p "$WORK/tree/deep/deeper"
random_file "$WORK/tree/a" 100000
random_file "$WORK/tree/deep/b b" 65536
: >"$WORK/tree/deep/deeper/none"
touch -d 2012-01-02T03:04:05Z "$WORK/tree/a"
ok 'a tree goes in' copy -r --preserve=timestamps "$WORK/tree" "$OUTBOX/"
ok 'and is the same when read back' same_tree "$WORK/tree" "$OUTBOX/tree"
is 'times included' "$(stat -c %Y "$OUTBOX/tree/a")" "$(stat -c %Y "$WORK/tree/a")"
ok 'alice gets it' same_tree "$WORK/tree" "$WORK/alice/deliverables/tree"

# A file with a hole, written as it is; what is not written is not there.
truncate -s 1M "$WORK/holes"
printf 'the middle' | dd of="$WORK/holes" bs=1 seek=500000 conv=notrunc status=none
printf 'the end' >>"$WORK/holes"
ok 'zeros and all' copy --sparse=never "$WORK/holes" "$OUTBOX/holes"
ok 'as they were' both "$OUTBOX/holes" "$WORK/holes"

append() { in_time sh -c 'cat "$1" >>"$2"' - "$1" "$2"; }
cat "$WORK/in" "$WORK/tree/a" >"$WORK/longer"
ok 'something is appended' append "$WORK/tree/a" "$IN/report"
ok 'bob reads both' both "$WORK/bob/incoming/report" "$WORK/longer"
for i in 1 2 3 4 5; do
	echo "line $i" >>"$WORK/lines"
	in_time sh -c 'echo "line $1" >>"$2"' - "$i" "$OUTBOX/lines"
done
ok 'line by line, each time anew' both "$OUTBOX/lines" "$WORK/lines"

cp "$WORK/in" "$WORK/patched"
patch() { printf 'PATCHED' | in_time dd of="$1" bs=1 seek=70000 conv=notrunc status=none; }
patch "$WORK/patched"
ok 'a file to change' copy "$WORK/in" "$OUTBOX/patched"
ok 'seven bytes in its middle' patch "$OUTBOX/patched"
ok 'and nothing else' both "$OUTBOX/patched" "$WORK/patched"
ok 'it is replaced by a shorter one' copy "$WORK/tree/a" "$OUTBOX/patched"
ok 'of which nothing is left over' both "$OUTBOX/patched" "$WORK/tree/a"

ok 'a rename' in_time mv "$OUTBOX/patched" "$OUTBOX/renamed"
ok 'over another file' in_time mv "$OUTBOX/renamed" "$OUTBOX/lines"
ok 'which is that now' both "$OUTBOX/lines" "$WORK/tree/a"
ok 'a new folder, and away with it' in_time sh -c 'mkdir "$1/n" && rmdir "$1/n"' - "$OUTBOX"
ok 'an empty file' in_time touch "$OUTBOX/empty"
is 'is there, and empty' "$(size_of "$OUTBOX/empty")" 0
ok 'chmod and touch, as programs do' in_time sh -c 'chmod 600 "$1" && touch -d @1000000000 "$1"' - "$OUTBOX/empty"
is 'the time was taken' "$(stat -c %Y "$OUTBOX/empty")" 1000000000
ok 'free space' in_time df "$OUTBOX"
ok 'all of it is removed' in_time rm -r "$OUTBOX/tree" "$OUTBOX/holes"

if command -v rsync >/dev/null; then
	ok 'rsync in place' in_time rsync -a --no-owner --no-group --inplace "$WORK/tree/" "$OUTBOX/synced/"
	ok 'is the same' same_tree "$WORK/tree" "$OUTBOX/synced"
	ok 'rsync by way of temporary names' in_time rsync -a --no-owner --no-group "$WORK/tree/" "$OUTBOX/again/"
	ok 'is the same' same_tree "$WORK/tree" "$OUTBOX/again"
else
	skip 'rsync in place' 'rsync is not installed'
fi

# Several at once through one connection.
for i in 1 2 3 4; do
	random_file "$WORK/p$i" $((i * 700000))
done
at_once() {
	local i pids=()
	for i in 1 2 3 4; do
		copy "$WORK/p$i" "$OUTBOX/p$i" & pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || return 1
	done
	for i in 1 2 3 4; do
		both "$OUTBOX/p$i" "$WORK/p$i" || return 1
	done
}
ok 'four files at once' at_once

unmount() { fusermount3 -u "$1"; }
ok 'alice unmounts' unmount "$WORK/alice"
ok 'and bob' unmount "$WORK/bob"
stop_keep

done_testing
