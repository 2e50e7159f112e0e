#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Programs go on through sshfs: they open again what was cut off and append to it, or write from
# where they see its end; after sshfs was killed, after it reconnected, and onto finished files.
. "${top_srcdir:-.}/tests/talk/resume-lib.sh"
need sftp ssh-keygen jq
can_mount || skip_all 'no sshfs, or no FUSE'
GATES_MAY_DIE=1
story_begins
start_relay
mkdir "$WORK/mnt"
IN=$WORK/mnt/incoming

# mount_it [OPTION…]: alice's view, through the relay. No size is older than the moment.
# shellcheck disable=SC2120
mount_it() { PORT=$RELAY sshfs_as alice "$WORK/mnt" -o dir_cache=no,attr_timeout=0,entry_timeout=0 "$@"; }
mount_it >"$WORK/sshfs.out" 2>&1 || { diag_file "$WORK/sshfs.out"; skip_all 'FUSE cannot mount here'; }
remount() {
	fusermount3 -u -q "$WORK/mnt" || fusermount3 -u -z -q "$WORK/mnt"
	ok "$1: mounted again" mount_it
}

# cut_at BYTES HOW FILE: cp into the mount, which the network ends.
cut_at() {
	relay after "$1" "$2"
	in_time cp "$3" "$IN/file" >"$WORK/client.out" 2>&1 &
	adopt $!
	relay_acts
}
# Two ways of going on.
appends() { in_time sh -c 'tail -c +$(($(stat -c %s "$2") + 1)) "$1" >>"$2"' - "$WHOLE" "$IN/file"; }
writes_on() {
	local at
	at=$(in_time stat -c %s "$IN/file") && in_time dd if="$WHOLE" of="$IN/file" bs=64k skip="$at" seek="$at" \
		iflag=skip_bytes oflag=seek_bytes conv=notrunc status=none
}
# close(2) of a FUSE file does not wait for the CLOSE that follows it.
goes_on() {
	ok "$1: $2" "$2"
	wait_for 20 no_uploads
	whole "$1, $2" file
}

for how in appends writes_on; do
	cut_at 3000000 reset "$WORK/in"
	gone "$CLIENT"
	wait_for 10 no_uploads
	unfinished "reset, $how" file
	remount "reset, $how"
	goes_on 'reset' $how
done

# Silence: the mount hangs, and is taken away; the newcomer takes the upload over.
cut_at 3000000 freeze "$WORK/in"
fusermount3 -u -z -q "$WORK/mnt"
relay reset
gone "$CLIENT"
wait_for 10 no_uploads
ok 'silence: mounted again' mount_it
goes_on 'silence' appends

cut_at 3000000 freeze "$WORK/in"
told() { [ "$(size_for alice incoming/file)" -gt 0 ]; }
wait_for 10 told
crash_keep
fusermount3 -u -z -q "$WORK/mnt"
relay reset
gone "$CLIENT"
run_keep
unfinished 'keep killed' file
ok 'keep killed: mounted again' mount_it
goes_on 'keep killed' writes_on

for size in 0 1 65536 3000001; do
	head -c "$size" "$WORK/in" >"$WORK/beginning"
	ok "$size bytes are there" in_time cp "$WORK/beginning" "$IN/file"
	wait_for 20 no_uploads
	how=appends
	[ $((size % 2)) -eq 0 ] || how=writes_on
	goes_on "finished with $size bytes" $how
done

# In pieces, each time anew, as a program that logs does.
in_pieces() {
	local at=0
	while [ $at -lt 8000000 ]; do
		in_time sh -c 'tail -c +$(($2 + 1)) "$1" | head -c 1000000 >>"$3"' - "$WORK/in" $at "$IN/file" || return
		at=$((at + 1000000))
	done
}
goes_on 'nothing there' in_pieces

# sshfs that reconnects: what was open is lost to its program, which opens it again.
fusermount3 -u -q "$WORK/mnt"
ok 'mounted to reconnect' mount_it -o reconnect
cut_at 3000000 reset "$WORK/in"
gone "$CLIENT"
wait_for 10 no_uploads
unfinished 'reconnected' file
goes_on 'reconnected' appends

# Begun by sftp, finished through sshfs.
half "put $WORK/in incoming/file"
cut_off
goes_on 'begun by sftp' appends

# An archive: the head of each member is filled in when the member is complete, far behind the end.
mkdir "$WORK/members"
for i in {1..12}; do
	random_file "$WORK/members/$i" $((i * 60000))
done
archives() { (cd "$WORK/members" && in_time /usr/bin/python3 -m zipfile -c "$IN/file" ./*); }
(cd "$WORK/members" && /usr/bin/python3 -m zipfile -c "$WORK/archive" ./*)
WHOLE=$WORK/archive
goes_on 'an archive of twelve' archives
WHOLE=$WORK/in

if command -v rsync >/dev/null; then
	rsyncs() { in_time rsync --append --inplace --no-owner --no-group --no-perms "$WORK/in" "$IN/file"; }
	cut_at 3000000 reset "$WORK/in"
	gone "$CLIENT"
	wait_for 10 no_uploads
	goes_on 'reset again' rsyncs
else
	skip 'rsync --append' 'rsync is not installed'
fi
fusermount3 -u -q "$WORK/mnt"

story_ends
