#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Bits that turn in what a daemon has stored: noticed, named, never served; all else goes on.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need sftp ssh-keygen jq python3

FLIPS=$top_srcdir/tests/fault/flips.py
SEED=${DROPKEEP_SEED:-$RANDOM}
if [ -n "${DROPKEEP_LONG-}" ]; then FILES=168 ROUNDS=6 EACH=40; else FILES=28 ROUNDS=1 EACH=2; fi
diag "seed $SEED"
flips() { python "$FLIPS" "$@"; }
MADE=0 NOTICED=0 HARMLESS=0

start_keep
add_zone acme
add_user alice client acme
add_user bob staff acme

# --- many files, no two of one size, and one session that fetches them all ------------------

mkdir "$WORK/sent" "$WORK/got"
for ((i = 0; i < FILES; i++)); do
	random_file "$WORK/sent/f$i" $((i % 2 ? 65537 + 37 * i : 100000 + 7001 * i))
done
put_all() { sed 's|.*|put '"$WORK/sent"'/& incoming/&|' <(ls "$WORK/sent") | sftp_as alice; }
ok 'files are sent' put_all
cp -a "$STATE/blobs" "$WORK/blobs"

# problems [WHAT]: ids that a deep check names, of one kind (blob); its status is $STATUS.
problems() {
	STATUS=0
	ctl --json check --deep >"$WORK/problems" 2>"$WORK/said" || STATUS=$?
	jq -r "select(.what == \"${1-blob}\") | .id" "$WORK/problems" | sort
}
get_all() { sed 's|.*|-get /acme/incoming/& '"$WORK/got"'/&|' <(ls "$WORK/sent") | sftp_as bob; }
aborts() { ctl --json audit query --event download.abort | jq -r .object | wc -l; }

# round WHAT: everything is fetched, compared, checked, and looked up in log and records.
round() {
	local before count unread
	before=$(aborts)
	discard "$WORK/got" && mkdir "$WORK/got"
	said_by get_all
	count=$(wc -l <"$WORK/damaged")
	ok "$1: not one wrong byte came" flips judge "$WORK/blobs" "$WORK/sent" "$WORK/got" "$WORK/damaged"
	diag "$1: $OUT"
	problems >"$WORK/named"
	is "$1: a deep check ends with 65" "$STATUS" 65
	ok "$1: and names exactly what is damaged" diff "$WORK/named" <(cut -d ' ' -f 1 "$WORK/damaged" | sort)
	is "$1: with zone and object" "$(jq -r 'select(.what == "blob" and .zone == "acme" and (.object | length) == 32) | .id' "$WORK/problems" | wc -l)" "$count"
	unread=$(grep -c ' extended$' "$WORK/damaged")
	is "$1: the records tell of each that was fetched" "$(($(aborts) - before))" $((count - unread))
	grep -v ' extended$' "$WORK/damaged" | cut -d ' ' -f 1 | while read -r id; do
		grep -q "blob $id" "$LOG" || echo "$id"
	done >"$WORK/untold"
	ok "$1: the daemon's log names each" not test -s "$WORK/untold"
	MADE=$((MADE + count)) NOTICED=$((NOTICED + count))
}
put_back() { rm -rf "$STATE/blobs" && cp -a "$WORK/blobs" "$STATE/blobs"; }

for ((r = 0; r < ROUNDS; r++)); do
	flips damage "$STATE/blobs" $((SEED + r)) >"$WORK/damaged"
	round "running, $r"
	# Over the names, so that the folders that the daemon has open stay what they are.
	cp -a "$WORK/blobs/." "$STATE/blobs/"
done
ok 'put back, nothing is wrong' ctl check --deep
stop_keep
flips damage "$STATE/blobs" $((SEED + 100)) >"$WORK/damaged"
run_keep
round stopped

# --- damage is not for ever -----------------------------------------------------------------

mapfile -t ids < <(grep -v -e missing -e extended "$WORK/damaged" | cut -d ' ' -f 1)
by_size() { find "$1" -type f -printf '%s %f\n' | sort -n | cut -d ' ' -f 2; }
file_of() { paste -d ' ' <(by_size "$WORK/blobs") <(by_size "$WORK/sent") | sed -n "s/^$1 //p"; }
first=$(file_of "${ids[0]}") second=$(file_of "${ids[1]}")
ok 'its owner sends a damaged file again' sftp_as alice <<<"put $WORK/sent/$first incoming/$first"
ok 'and removes another' sftp_as alice <<<"rm incoming/$second"
ok 'what was sent again can be had' sftp_as bob <<<"get /acme/incoming/$first $WORK/again"
same_file 'whole' "$WORK/again" "$WORK/sent/$first"
problems >"$WORK/named"
ok 'neither is named any more' not grep -qx -e "${ids[0]}" -e "${ids[1]}" "$WORK/named"
for id in "${ids[@]:2}"; do cp -a "$WORK/blobs/${id:0:2}/$id" "$STATE/blobs/${id:0:2}/$id"; done
grep -e missing -e extended "$WORK/damaged" | while read -r id _; do
	cp -a "$WORK/blobs/${id:0:2}/$id" "$STATE/blobs/${id:0:2}/$id"
done
ok 'the others are put back: nothing is wrong' ctl check --deep

# --- an unfinished upload -------------------------------------------------------------------

random_file "$WORK/long" 3000000
before=$(du -sb "$STATE/blobs" | cut -f 1)
has_begun() { [ "$(du -sb "$STATE/blobs" | cut -f 1)" -ge $((before + 300000)) ]; }
ssh_options alice
sftp -q -b - -l 2000 -P "$PORT" "${SSH_OPTIONS[@]}" alice@127.0.0.1 >"$WORK/client.out" 2>&1 \
	<<<"put $WORK/long incoming/long" &
client=$!
own "$client"
disown "$client"
wait_for 20 has_begun
kill -KILL "$client"
suspended() { [[ $(ls "$STATE/uploads") =~ ^[0-9a-f]{32}$ ]]; }
ok 'an upload is cut off' wait_for 20 suspended
left=$STATE/uploads/$(ls "$STATE/uploads")
id=$(basename "$left")
while read -r offset bit; do
	flips flip "$left" "$offset" "$bit"
	ctl --json check >"$WORK/problems" 2>"$WORK/said"
	[ "$(jq -r 'select(.what == "upload") | .id' "$WORK/problems")" = "$id" ] ||
		flunk "uploads/ID, byte $offset, bit $bit: check names it" "$(cat "$WORK/problems")"
	flips flip "$left" "$offset" "$bit"
	MADE=$((MADE + 1)) NOTICED=$((NOTICED + 1))
done < <(flips bits "$left" "$SEED" $((3 * EACH)))
flips flip "$STATE/blobs/${id:0:2}/$id" 30000 1
problems upload >"$WORK/named"
is 'a bit in what has arrived: a deep check names the upload' "$(cat "$WORK/named")" "$id"
flips flip "$STATE/blobs/${id:0:2}/$id" 30000 1
MADE=$((MADE + 1)) NOTICED=$((NOTICED + 1))
flips flip "$left" 100 0
refuses 'with a bit in uploads/ID nobody goes on' sftp_as alice <<<"reput $WORK/long incoming/long"
ok 'of which the operator is told' grep -q "uploads/$id is damaged" "$LOG"
ok 'but it can be sent as a whole' sftp_as alice <<<"put $WORK/long incoming/long"
ok 'and fetched' sftp_as bob <<<"get /acme/incoming/long $WORK/long.got"
same_file 'as it was sent' "$WORK/long.got" "$WORK/long"
MADE=$((MADE + 1)) NOTICED=$((NOTICED + 1))
ok 'nothing is wrong any more' ctl check --deep

# --- the catalog while it is in use ---------------------------------------------------------

flips flip "$STATE/catalog.db" 4500 2
problems catalog >/dev/null
ok 'running: a page of the catalog is named' grep -q 'catalog.db: page 2 is damaged' "$WORK/problems"
flips flip "$STATE/catalog.db" 4500 2
MADE=$((MADE + 1)) NOTICED=$((NOTICED + 1))
ok 'running: and put back is good' ctl check --deep

# --- without the daemon, as doc/RECOVERY.md says ---------------------------------------------

# of_the_catalog: what RECOVERY.md's query gives, for a copy in $WORK/copy.
of_the_catalog() {
	sed -n '/^    sqlite3 -header/,/ORDER BY/p' "$top_srcdir/doc/RECOVERY.md" >"$WORK/query"
	(cd "$WORK/copy" && bash "$WORK/query")
}
if command -v sqlite3 >/dev/null && command -v age >/dev/null; then
	mkdir "$WORK/copy"
	cp "$STATE"/catalog.db* "$WORK/copy/"
	ok 'any sqlite3 says which blob is whose' of_the_catalog
	blob=$(grep "|acme|$(size_of "$WORK/sent/$first")|alice|" <<<"$OUT" | cut -d '|' -f 1)
	ok 'and age opens it' age -d -i "$RECOVERY" -o "$WORK/opened" "$STATE/blobs/${blob:0:2}/$blob"
	same_file 'as it was sent' "$WORK/opened" "$WORK/sent/$first"
else
	skip 'contents without the daemon' 'no sqlite3 or no age here'
fi

# --- what a daemon meets when it starts -----------------------------------------------------

take_snap() { rm -rf "$WORK/snap" && cp -a "$STATE" "$WORK/snap"; }
stop_keep
take_snap

# One that may not start: $OUTCOME is serves, or what it said.
try_start() {
	local end=$((SECONDS + 30))
	: >"$WORK/try.log"
	"$DROPKEEPD" -c "$CONF" >"$WORK/try.log" 2>&1 </dev/null &
	KEEP_PID=$!
	while :; do
		alive "$KEEP_PID" || { wait "$KEEP_PID"; OUTCOME="refused $?: $(cat "$WORK/try.log")"; KEEP_PID=; return; }
		ctl status --wait 0 >"$WORK/wait.out" 2>&1 && { OUTCOME=serves; return; }
		[ $SECONDS -lt $end ] || { OUTCOME="neither serves nor ends: $(cat "$WORK/try.log")"; return; }
	done
}
end_try() {
	local pid=$KEEP_PID
	[ -z "$pid" ] || { KEEP_PID=; end_pid "$pid" 20; wait "$pid" 2>/dev/null; }
	rm -rf "$STATE" && cp -a "$WORK/snap" "$STATE"
}

# judged WHAT NAME HARMLESS: the outcome after a change of a file. NAME (a pattern) must be in what
# the daemon says when it does not start, or in what a deep check finds when it does; or it is of
# no effect where HARMLESS says that this can be, and why.
judged() {
	MADE=$((MADE + 1))
	try_start
	case $OUTCOME in
	serves)
		STATUS=0
		ctl check --deep >"$WORK/problems" 2>&1 || STATUS=$?
		if [ "$STATUS" -eq 65 ] && grep -qE "$2" "$WORK/problems"; then
			NOTICED=$((NOTICED + 1))
		elif [ "$STATUS" -eq 0 ] && [ -n "$3" ] && sftp_as bob <<<"ls /acme/incoming/$first" >"$WORK/said" 2>&1; then
			HARMLESS=$((HARMLESS + 1))
			diag "without effect: $1 ($3)"
		else
			flunk "$1" "serves; check ends with $STATUS and says"$'\n'"$(cat "$WORK/problems")"
		fi ;;
	refused*)
		if grep -qE "$2" "$WORK/try.log"; then
			NOTICED=$((NOTICED + 1))
		else
			flunk "$1" "$OUTCOME"
		fi ;;
	*) flunk "$1" "$OUTCOME" ;;
	esac
	end_try
}

# tried FILE NAME [HARMLESS]: bits, a block of zeroes, half of the file.
tried() {
	local file=$1 size offset bit before=$TAP_FAILED
	size=$(size_of "$STATE/$file")
	while read -r offset bit; do
		flips flip "$STATE/$file" "$offset" "$bit"
		judged "$file: byte $offset, bit $bit" "$2" "${3-}"
	done < <(flips bits "$STATE/$file" "$SEED" "$EACH")
	flips zero "$STATE/$file" $((size / 2))
	judged "$file: a block of zeroes in the middle" "$2" "${3-}"
	truncate -s $((size / 2)) "$STATE/$file"
	judged "$file: half of it" "$2" "${3-}"
	[ "$TAP_FAILED" -ne "$before" ] || pass "$file: noticed and named"
}

contradiction='log/|catalog was rolled back|contradict'
tried catalog.db 'catalog\.db'
tried log/records-000000.jsonl 'log|record'
tried log/checkpoint 'checkpoint'
tried log/key.vkey 'key\.vkey'
# Which of them the catalog means is not to be seen; later ones are made again from the records.
for bit in 0 7; do
	for tile in "$STATE"/log/tile/0/*/* "$STATE"/log/tile/0/[0-9][0-9][0-9]; do
		[ ! -f "$tile" ] || flips flip "$tile" $((4 + bit)) "$bit"
	done
	judged "tiles: bit $bit" 'tile|tree' ''
done
tried keys/master.key 'master\.key'
tried keys/log.key 'log\.key'
tried keys/ssh_host_ed25519_key 'ssh_host_ed25519_key' 'its comment, or a line end'
rm "$STATE/catalog.db"
judged 'without a catalog' 'catalog\.db' ''
rm -r "$STATE/log/tile"
judged 'without tiles' 'tile|tree' ''
echo x >>"$STATE/lock"
judged 'lock: it has no content' 'lock' 'yes'
run_keep
ok 'more is sent' sftp_as alice <<<"put $WORK/sent/$first incoming/more"
sleep 1
crash_keep
take_snap
tried catalog.db-wal "catalog\\.db-wal|$contradiction" 'the note of what the log has'
try_start
is 'as it was, it serves' "$OUTCOME" serves
ok 'and nothing is wrong' ctl check --deep
ok 'nor with the log' ctl audit verify
stop_keep
diag "flips: $MADE made, $NOTICED noticed, $HARMLESS without effect"
done_testing
