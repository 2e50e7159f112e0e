#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Uploads that were cut off at the server's end: gates killed, the keep killed, the keep stopped in
# good order; once, twice, in the middle of going on, and right after a clean end.
. "${top_srcdir:-.}/tests/talk/resume-lib.sh"
need sftp ssh-keygen jq
GATES_MAY_DIE=1
story_begins
random_file "$WORK/large" 24M
WHOLE=$WORK/large

# durable COMMAND: begin it, at 2 MB/s, and wait until a second connection is told a size of it:
# so much is on the disk, and known to the keep.
is_told() { [ "$(size_for alice incoming/file)" -gt "$1" ]; }
durable() {
	local before
	before=$(size_for alice incoming/file)
	half "$1" 500000 16000
	wait_for 20 is_told "${before:-0}" || flunk "a size is told of: $1" "$(<"$WORK/client.out")"
	KNOWN=$(size_for alice incoming/file)
}
# kept WHAT: what had been told is still there.
kept() {
	local size
	size=$(size_for alice incoming/file)
	[ "${size:-0}" -ge "$KNOWN" ]
	is "$1: nothing that was told is lost" $? 0
}

durable "put $WORK/large incoming/file"
kill_gates
gone "$CLIENT"
kept 'gates killed'
unfinished 'gates killed' file
completes 'gates killed' file
is 'each gate was replaced' "$(gate_pids | wc -l)" "$(wc -w <<<"$gates")"
is 'the log knows of each' \
	"$(ctl --json audit query --event gate.crash | jq -s length)" "$(wc -w <<<"$gates")"

durable "put $WORK/large incoming/file"
crashes
gone "$CLIENT"
kept 'keep killed'
unfinished 'keep killed' file
completes 'keep killed' file

durable "put $WORK/large incoming/file"
stop_keep 'the keep stops in mid-upload'
gone "$CLIENT"
run_keep
kept 'keep restarted'
unfinished 'keep restarted' file
completes 'keep restarted' file

# A clean end keeps every byte; whatever happens to the server after that takes none of them.
half "put $WORK/large incoming/file" 3000000 48000
cut_off
KNOWN=$(size_for alice incoming/file)
crashes
is 'cut off, then keep killed: the size is the same' "$(size_for alice incoming/file)" "$KNOWN"
stop_keep 'the keep stops with an upload to resume'
run_keep
is 'and restarted: still the same' "$(size_for alice incoming/file)" "$KNOWN"
kill_gates
is 'and gates killed: still the same' "$(size_for alice incoming/file)" "$KNOWN"
completes 'three ends of the server' file

# In the middle of going on, more than once.
durable "put $WORK/large incoming/file"
crashes
gone "$CLIENT"
durable "reput $WORK/large incoming/file"
crashes
gone "$CLIENT"
kept 'killed twice'
durable "reput $WORK/large incoming/file"
kill_gates
gone "$CLIENT"
kept 'killed twice, and its gates'
unfinished 'killed three times' file
completes 'killed three times' file

# Right after OPEN, when nothing of it stands: the name is free for its sender.
half "put $WORK/large incoming/file" 100000 8000
crashes
gone "$CLIENT"
ok 'killed at once: put begins anew' sftp_as alice <<<"put $WORK/large incoming/file"
whole 'killed at once' file

# A finished file that grows, when the server dies: the version is there all along.
ok 'a version' sftp_as alice <<<"put $WORK/short incoming/grows"
cat "$WORK/short" "$WORK/large" >"$WORK/grown"
WHOLE=$WORK/grown
half "reput $WORK/grown incoming/grows" 1000000 48000
crashes
gone "$CLIENT"
is 'killed while it grows: the version stays' "$(size_for bob /acme/incoming/grows)" 3000001
ok 'bob gets it' sftp_as bob <<<"get /acme/incoming/grows $WORK/out"
same_file 'as it was' "$WORK/out" "$WORK/short"
completes 'killed while it grows' grows

story_ends
