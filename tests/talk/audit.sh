#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What the log knows, and what nobody can know from what lies on the disk: each step of a story
# is recorded with who, where and what; a log that was changed does not verify; neither names nor
# contents stand anywhere in clear; stock age opens what is stored, with the recovery identity.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need sftp ssh-keygen jq age

start_keep
add_zone acme
add_zone bare --no-recovery
add_user alice client acme
add_user anna client acme,bare
add_user bob staff acme

# Nothing else on this machine has such a name or says such a thing.
MARK=xq7zk$$mark
for i in {1..4000}; do
	printf '%s-content-%d\n' "$MARK" "$i"
done >"$WORK/$MARK-file"
cp "$WORK/$MARK-file" "$WORK/in"
hash=$(hash_of "$WORK/in")
size=$(size_of "$WORK/in")

sftp_as alice >"$WORK/story.out" 2>&1 <<-EOF
	put $WORK/in incoming/$MARK-a
	mkdir incoming/$MARK-dir
	rename incoming/$MARK-a incoming/$MARK-dir/$MARK-b
	-put $WORK/in /acme/$MARK-straight
	-get incoming/$MARK-dir/$MARK-b $WORK/none
	-rm incoming/$MARK-nothing
EOF
is 'alice has done her part' "$?" 0
sftp_as bob >"$WORK/story.out" 2>&1 <<-EOF
	get /acme/incoming/$MARK-dir/$MARK-b $WORK/out
	-rm /acme/incoming/$MARK-dir/$MARK-b
	put $WORK/in /acme/deliverables/$MARK-answer
EOF
is 'bob, too' "$?" 0
sftp_as anna >"$WORK/story.out" 2>&1 <<-EOF
	put $WORK/in /bare/incoming/$MARK-bare
	put $WORK/in /acme/incoming/$MARK-gone
	chmod 600 /acme/incoming/$MARK-gone
	rm /acme/incoming/$MARK-gone
EOF
is 'and anna' "$?" 0
make_key stranger
ssh_options stranger
refuses 'a stranger does not get in' in_time sftp -q -b - -P "$PORT" "${SSH_OPTIONS[@]}" alice@127.0.0.1 <<<pwd

# --- what is recorded --------------------------------------------------------------------

# recorded DESCRIPTION EVENT JQ-CONDITION: exactly one record of that event satisfies it.
recorded() {
	is "$1" "$(ctl --json audit query --event "$2" | jq -s "map(select($3)) | length")" 1
}
recorded 'an upload begins' upload.open '.actor == "alice"'
recorded 'and is complete: who, where, what' upload.complete \
	".actor == \"alice\" and .role == \"client\" and .outcome == \"ok\" and .zone == \"acme\" and
	.path == \"/acme/incoming/$MARK-a\" and .size == $size and .sha256 == \"$hash\" and
	.source == \"127.0.0.1\" and (.port > 0) and (.client | test(\"OpenSSH\")) and .protocol == \"sftp\""
recorded 'a folder' folder.make ".path == \"/acme/incoming/$MARK-dir\""
recorded 'a rename, from where to where' rename \
	".path == \"/acme/incoming/$MARK-a\" and .to == \"/acme/incoming/$MARK-dir/$MARK-b\""
recorded 'a refusal, and why' put_open.refused \
	'.actor == "alice" and .outcome == "refused" and (.reason | test("use incoming/"))'
recorded 'another one' get_open.refused '.actor == "alice" and .outcome == "refused"'
recorded 'a download begins' download.open \
	".actor == \"bob\" and .path == \"/acme/incoming/$MARK-dir/$MARK-b\""
recorded 'and ends, with how much of it' download.close ".actor == \"bob\" and .bytes == $size"
recorded 'what bob may not remove' remove.refused '.actor == "bob" and .outcome == "refused"'
recorded 'what he sent' upload.complete \
	".actor == \"bob\" and .role == \"staff\" and .path == \"/acme/deliverables/$MARK-answer\""
recorded 'what anna removed' file.remove ".actor == \"anna\" and .path == \"/acme/incoming/$MARK-gone\""
recorded 'the stranger' auth.fail '.outcome == "refused"'
recorded 'a zone that was added' zone.add '.zone == "bare" and (.actor | startswith("operator:"))'
recorded 'the start' start '.actor == "system"'
for who in alice bob anna; do
	recorded "the session of $who" session.open ".actor == \"$who\""
	recorded "and its end ($who)" session.close ".actor == \"$who\" and .bytes > $size"
done
object=$(ctl --json audit query --event upload.complete --user alice | jq -r .object)
is 'a file keeps its number through all of it' \
	"$(ctl --json audit query --object "$object" | jq -r .event | tr '\n' ' ')" \
	'upload.open upload.complete rename download.open download.close '
is 'the order is that of what happened' "$(ctl --json audit query | jq -s 'map(.seq) == [range(length)]')" true
is 'times do not run back' "$(ctl --json audit query | jq -s 'map(.time) == (map(.time) | sort)')" true
is 'by zone' "$(ctl --json audit query --zone bare | jq -r '.zone' | sort -u)" bare
is 'by outcome' "$(ctl --json audit query --outcome refused | jq -r '.outcome' | sort -u)" refused
is 'the newest' "$(ctl --json audit query --limit 2 | jq -s length)" 2
is 'since a moment' "$(ctl --json audit query --since 1h --user alice | jq -s 'length > 5')" true
is 'until a moment' "$(ctl --json audit query --until 2001-01-01 | jq -s length)" 0
ok 'for people' ctl audit query --zone acme
like 'on lines' "$OUT" "upload.complete +ok +alice +acme +/acme/incoming/$MARK-a"
recorded 'who reads the log is in it' audit.query '(.detail.filter.until // 0) > 0'

# --- the log holds -----------------------------------------------------------------------

ok 'the log verifies' ctl audit verify
is 'without a problem' "$(ctl --json audit verify | jq '.problems | length')" 0
key=$(ctl --json status | jq -r .log.key)
stop_keep
cp -r "$STATE/log" "$WORK/log"
ok 'so does a copy' ctl audit verify --log "$WORK/log"
ok 'with the key that the service showed' ctl audit verify --log "$WORK/log" --key "$key"

# status_of COMMAND…: its exit status, whatever it says.
status_of() {
	local status=0
	said_by "$@" || status=$?
	echo "$status"
}
# flip FILE OFFSET: one bit of one byte; negative offsets count from the end.
flip() {
	local at=$2 size byte
	size=$(size_of "$1")
	[ "$at" -ge 0 ] || at=$((size + at))
	byte=$(od -An -tu1 -j "$at" -N 1 "$1" | tr -d ' ')
	printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}
# altered DESCRIPTION FILE COMMAND…: a fresh copy is changed in one place, and does not verify.
altered() {
	local what=$1 file=$2
	shift 2
	rm -rf "$WORK/log"
	cp -r "$STATE/log" "$WORK/log"
	"$@" || flunk "change $file"
	! cmp -s "$STATE/log/$file" "$WORK/log/$file" || flunk "$file has changed"
	is "$what: status 65" "$(status_of ctl audit verify --log "$WORK/log" "${KEY[@]}")" 65
}
KEY=(--key "$key")
records=$(cd "$STATE/log" && find . -name 'records-*' | head -n 1)
# The log is short: its one tile is a partial one, of which older ones are left as well.
tile=tile/0/000.p/$(sed -n 2p "$STATE/log/checkpoint")
bytes=$(size_of "$STATE/log/$records")
for at in 0 $((bytes / 3)) $((bytes / 2)) -1; do
	altered "a record, at $at" "$records" flip "$WORK/log/$records" "$at"
done
altered 'a record that is missing' "$records" sed -i 5d "$WORK/log/$records"
altered 'a record twice' "$records" sed -i 5p "$WORK/log/$records"
altered 'the last record gone' "$records" sed -i '$d' "$WORK/log/$records"
altered 'a record by hand' "$records" sed -i '0,/alice/s//bob12/' "$WORK/log/$records"
for at in 0 -1; do
	altered "a tile of the tree, at $at" "$tile" flip "$WORK/log/$tile" "$at"
done
for at in 0 -3; do
	altered "the checkpoint, at $at" checkpoint flip "$WORK/log/checkpoint" "$at"
done
altered 'its size' checkpoint sed -i '2s/.*/1/' "$WORK/log/checkpoint"
altered 'the checkpoint gone' checkpoint rm "$WORK/log/checkpoint"
altered 'a tile gone' "$tile" rm "$WORK/log/$tile"
altered 'all records gone' "$records" rm "$WORK/log/$records"
KEY=()
altered 'the key, where no other is given' key.vkey flip "$WORK/log/key.vkey" -5

# --- nothing is in clear -----------------------------------------------------------------

# in_clear: files under the state, and the daemon's own log, that contain the marker, or whose
# name does.
in_clear() {
	grep -r -a -l -i "$MARK" "$STATE" "$LOG"
	find "$STATE" | grep -i "$MARK"
	true
}
is 'no name and no content is on the disk' "$(in_clear)" ''
run_keep
ok 'while it runs' sftp_as alice <<<"put $WORK/in incoming/$MARK-more"
half_put() { # an upload that stays unfinished
	ssh_options alice
	sftp -q -b - -l 8000 -P "$PORT" "${SSH_OPTIONS[@]}" alice@127.0.0.1 <<<"put $WORK/large incoming/$MARK-part" \
		>"$WORK/part.out" 2>&1 &
	local client=$!
	own $client
	disown $client
	wait_for 10 uploading && sleep 0.5 && kill -KILL $client
}
uploading() { ctl --json sessions | jq -es 'any(.puts > 0)' >/dev/null; }
suspended() { ctl --json audit query --event upload.suspend | jq -es 'length > 0' >/dev/null; }
for i in {1..50}; do
	cat "$WORK/in"
done >"$WORK/large"
half_put
ok 'and with an upload that is not finished' wait_for 10 suspended
is 'neither there' "$(in_clear)" ''
ok 'which is not for want of looking' grep -q alice -r "$STATE/log"

# --- stock age ---------------------------------------------------------------------------

ok 'finished, then' sftp_as alice <<<"reput $WORK/large incoming/$MARK-part"
# Files of acme: b, answer, more, part; of bare: bare.
opened='' closed=0
while IFS= read -r blob; do
	if age -d -i "$RECOVERY" -o "$WORK/plain" "$blob" 2>"$WORK/age.out"; then
		opened+="$(hash_of "$WORK/plain")"$'\n'
	else
		closed=$((closed + 1))
		grep -q 'no identity matched' "$WORK/age.out" || flunk "age says why" "$(<"$WORK/age.out")"
	fi
done < <(find "$STATE/blobs" -type f)
is 'age opens every file of a zone with recovery, to what was sent' "$(sort <<<"${opened%$'\n'}")" \
	"$(printf '%s\n' "$hash" "$hash" "$hash" "$(hash_of "$WORK/large")" | sort)"
is 'and none of the zone without' "$closed" 1
stop_keep

done_testing
