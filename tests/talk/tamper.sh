#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Somebody has changed what is stored: whoever fetches it gets an error, never other bytes; all
# else goes on; a deep check names what is wrong.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need sftp ssh-keygen jq

start_keep
add_zone acme
add_user alice client acme
add_user bob staff acme
random_file "$WORK/good" 300000
sftp_as alice <<<"put $WORK/good incoming/good" >"$WORK/put.out" 2>&1 || bail_out 'nothing can be sent'

blobs() { find "$STATE/blobs" -type f | sort; }

# fresh: a new file, in its blob $BLOB.
fresh() {
	local before
	before=$(blobs)
	random_file "$WORK/in" 1000000
	ok "$1: a file is sent" sftp_as alice <<<"put $WORK/in incoming/file"
	BLOB=$(comm -13 <(echo "$before") <(blobs))
	cp -p "$BLOB" "$WORK/kept"
}

# is_prefix SHORT LONG: what came, if anything, is a beginning of what was sent.
is_prefix() { [ ! -e "$1" ] || cmp -n "$(size_of "$1")" "$1" "$2"; }

# ids: what a deep check names; its status is $STATUS.
ids() {
	STATUS=0
	ctl --json check --deep >"$WORK/problems" 2>"$WORK/said" || STATUS=$?
	jq -r .id "$WORK/problems"
}
last_end() { ctl --json audit query --event download | jq -s 'map(select(.event != "download.open")) | last | .event'; }

# checked WHAT: a deep check names it, and nobody else is harmed.
checked() {
	rm -f "$WORK/out"
	ok "$1: another file is there" sftp_as bob <<<"get /acme/incoming/good $WORK/out"
	same_file "$1: as it was" "$WORK/out" "$WORK/good"
	ids >"$WORK/ids"
	is "$1: a deep check fails with status 65" "$STATUS" 65
	ok "$1: and names the blob" grep -qx "$(basename "$BLOB")" "$WORK/ids"
}

# noticed WHAT: whoever fetches it gets an error, which is in the log and told to the operator.
noticed() {
	rm -f "$WORK/out"
	refuses "$1: nobody gets it" sftp_as bob <<<"get /acme/incoming/file $WORK/out"
	ok "$1: not one wrong byte" is_prefix "$WORK/out" "$WORK/in"
	is "$1: the log has it" "$(last_end)" '"download.abort"'
	ok "$1: and the operator is told which" grep -q "blob $(basename "$BLOB")" "$LOG"
	checked "$1"
}

# whole WHAT: put back as it was, it is as good as ever; then it goes.
whole() {
	cp -p "$WORK/kept" "$BLOB"
	rm -f "$WORK/out"
	ok "$1: put back, it can be had" sftp_as bob <<<"get /acme/incoming/file $WORK/out"
	same_file "$1: whole" "$WORK/out" "$WORK/in"
	ok "$1: and nothing is wrong" ctl check --deep
}

flip() {
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
	printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

fresh 'a bit'
size=$(size_of "$BLOB")
header=$(grep -a -b -m 1 -e '^---' "$BLOB" | cut -d : -f 1)
declare -A place=(
	['the first line']=3 ['a stanza']=40 ['the MAC of the header']=$((header + 10))
	['the nonce']=$((header + 4 + 43 + 5)) ['the first chunk']=$((header + 1000))
	['a chunk in the middle']=$((size / 2)) ['the last byte']=$((size - 1))
)
for what in "${!place[@]}"; do
	flip "$BLOB" "${place[$what]}"
	noticed "$what"
	whole "$what"
done

truncate -s $((size - 1)) "$BLOB"
noticed 'a byte less'
cp -p "$WORK/kept" "$BLOB"
truncate -s $((size - 65536 - 16)) "$BLOB"
noticed 'a chunk less'
cp -p "$WORK/kept" "$BLOB"
# What is behind the end is not read; but it does not belong there.
printf x >>"$BLOB"
checked 'a byte more'
: >"$BLOB"
noticed 'nothing in it'
rm "$BLOB"
noticed 'not there'
whole 'not there'

# Blobs that have changed their places: each is good by itself.
OTHER=$BLOB
cp "$WORK/in" "$WORK/first"
ok 'it moves' sftp_as alice <<<'rename incoming/file incoming/first'
fresh 'places changed'
cp "$OTHER" "$WORK/other"
cp "$WORK/kept" "$OTHER"
cp "$WORK/other" "$BLOB"
noticed 'places changed'
refuses 'nor the other way round' sftp_as bob <<<"get /acme/incoming/first $WORK/none"
cp "$WORK/other" "$OTHER"
whole 'places changed'

# A file that nobody knows is told of, and left alone.
cp "$WORK/kept" "$STATE/blobs/00/00000000000000000000000000000000"
status=0
said_by ctl check || status=$?
is 'a blob without a name: status 65' "$status" 65
like 'it is named' "$OUT" '00000000000000000000000000000000'
[ -f "$STATE/blobs/00/00000000000000000000000000000000" ]
is 'and left alone' $? 0

flip "$BLOB" $((size - 1000))
noticed 'near the end'
stop_keep

done_testing
