#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Uploads that were cut off at the client's end, and finished files that grow: what is not
# finished is seen by its sender alone; what went on is whole. Downloads that go on.
. "${top_srcdir:-.}/tests/talk/resume-lib.sh"
need sftp ssh-keygen jq
story_begins

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

# Sizes around those of chunks (64 KiB): the tail that stays open, none, one that is full.
head -c 400000 "$WORK/in" >"$WORK/small"
WHOLE=$WORK/small
for size in 1 65535 65536 65537 131072 399999; do
	head -c "$size" "$WORK/in" >"$WORK/beginning"
	ok "$size bytes are there" sftp_as alice <<<"put $WORK/beginning incoming/file"
	completes "finished with $size bytes" file
done
WHOLE=$WORK/in

# --- the client's end --------------------------------------------------------------------

half "put $WORK/in incoming/file"
cut_off
unfinished 'client killed' file
refuses 'its sender cannot read it' sftp_as alice <<<"get incoming/file $WORK/none"
completes 'client killed' file
is 'the log knows all of it' "$(history /acme/incoming/file)" \
	'upload.open upload.suspend upload.resume upload.complete download.open download.close file.remove '
is 'and that it was resumed' \
	"$(ctl --json audit query --user alice --event upload.complete --limit 1 | jq .resumed)" true

half "put $WORK/in incoming/file"
kill -KILL "$CLIENT"
gone "$CLIENT"
wait_for 20 no_uploads
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
WHOLE=$WORK/short
whole 'begun anew' file
WHOLE=$WORK/in

# --- downloads ---------------------------------------------------------------------------

# One that is cut off; and one that outlives the file.
ok 'a file to get' sftp_as alice <<<"put $WORK/in incoming/file"
ssh_options bob
sftp -q -b - -l 32000 -P "$PORT" "${SSH_OPTIONS[@]}" bob@127.0.0.1 >"$WORK/client.out" 2>&1 \
	<<<"get /acme/incoming/file $WORK/cut" &
adopt $!
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

story_ends
