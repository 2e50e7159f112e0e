#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Files of one chunk live in the catalog: what a client sees of that (nothing), what lies on the
# disk, what the stock programs make of it without the daemon, and what a turned bit does.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need sftp ssh-keygen jq sqlite3 age

start_keep
add_zone acme
add_user alice client acme
add_user bob staff acme

blobs() { find "$STATE/blobs" -type f | wc -l; }
blobs_are() { [ "$(blobs)" -eq "$1" ]; }
# rows: ids of contents in the catalog, by another process, as a copy would have them.
rows() { sqlite3 -readonly "$STATE/catalog.db" 'SELECT lower(hex(blob)) FROM tiny'; }
tiny() { rows | wc -l; }
fetched() { rm -f "$WORK/out"; sftp_as bob <<<"get /acme/incoming/$1 $WORK/out"; }

# --- around the bound --------------------------------------------------------------------

kept=0 large=0
for size in 0 1 10000 65535 65536 65537 131072; do
	random_file "$WORK/f$size" "$size"
	ok "$size bytes are sent" sftp_as alice <<<"put $WORK/f$size incoming/f$size"
	if [ "$size" -le 65536 ]; then kept=$((kept + 1)); else large=$((large + 1)); fi
	is "$size bytes: contents in the catalog" "$(tiny)" $kept
	is "$size bytes: blobs" "$(blobs)" $large
	ok "$size bytes are fetched" fetched "f$size"
	same_file "as they were sent ($size)" "$WORK/out" "$WORK/f$size"
done

# --- it grows, shrinks, and grows again --------------------------------------------------

head -c 40000 "$WORK/f65536" >"$WORK/begun"
ok 'a part of a file is sent' sftp_as alice <<<"put $WORK/begun incoming/grows"
ok 'and goes on within the chunk' sftp_as alice <<<"reput $WORK/f65536 incoming/grows"
ok 'it is fetched' fetched grows
same_file 'whole' "$WORK/out" "$WORK/f65536"
is 'still without a blob' "$(blobs)" $large
cat "$WORK/f65536" "$WORK/f10000" >"$WORK/grown"
ok 'it goes on beyond the chunk' sftp_as alice <<<"reput $WORK/grown incoming/grows"
ok 'it is fetched again' fetched grows
same_file 'and is what it was with what was added' "$WORK/out" "$WORK/grown"
is 'in a blob' "$(blobs)" $((large + 1))
is 'and nowhere else' "$(tiny)" $kept
ok 'it gives way to a small one' sftp_as alice <<<"put $WORK/f1 incoming/grows"
ok 'whose blob goes' wait_for 20 blobs_are $large
is 'and which is in the catalog' "$(tiny)" $((kept + 1))
ok 'it is removed' sftp_as alice <<<'rm incoming/grows'
is 'from there, too' "$(tiny)" $kept
ok 'check has nothing to say' ctl check --deep

# --- many, in one session ----------------------------------------------------------------

mkdir "$WORK/many"
for i in {1..60}; do
	printf 'PLAINTEXT-MARK %s\n%s' "$i" "$(head -c $((RANDOM % 3000)) /dev/urandom | base64)" >"$WORK/many/n$i"
done
ok 'sixty are sent at once' sftp_as alice <<<"put -r $WORK/many incoming/many"
ok 'and fetched' sftp_as bob <<<"get -r /acme/incoming/many $WORK/back"
ok 'and are the same' diff -r "$WORK/many" "$WORK/back"
discard "$WORK/back"
ok 'nothing is anywhere in clear' not grep -rqa PLAINTEXT-MARK "$STATE"

# --- without the daemon ------------------------------------------------------------------

mkdir "$WORK/copy"
cp "$STATE/catalog.db" "$STATE/catalog.db-wal" "$WORK/copy"
(cd "$WORK/copy" && sqlite3 catalog.db "SELECT writefile(lower(hex(blob)) || '.age', content) FROM tiny" >/dev/null)
is 'sqlite3 takes all of them out' "$(find "$WORK/copy" -name '*.age' | wc -l)" $((kept + 60))
for f in "$WORK"/copy/*.age; do
	age -d -i "$RECOVERY" "$f" >"$WORK/plain" 2>"$WORK/age.out" || flunk 'age opens each' "$(<"$WORK/age.out")"
	hash_of "$WORK/plain"
done | sort >"$WORK/opened"
for f in "$WORK"/many/* "$WORK"/f{0,1,10000,65535,65536}; do hash_of "$f"; done | sort >"$WORK/sent"
ok 'age opens each, to what was sent' diff "$WORK/sent" "$WORK/opened"

# --- left unfinished, crashed ------------------------------------------------------------

crash_keep
run_keep
ok 'after a crash it is all there' fetched many/n7
same_file 'as it was' "$WORK/out" "$WORK/many/n7"

# --- a bit that turned -------------------------------------------------------------------

stop_keep
is 'no write-ahead log is left' "$(size_of "$STATE/catalog.db-wal" 2>/dev/null || echo 0)" 0
id=$(sqlite3 -readonly "$STATE/catalog.db" "SELECT lower(hex(v.blob)) FROM versions v WHERE size = 65535")
needle=$(sqlite3 -readonly "$STATE/catalog.db" "SELECT hex(substr(content, 40001, 24)) FROM tiny WHERE lower(hex(blob)) = '$id'")
place=$(/usr/bin/python3 - "$STATE/catalog.db" "$needle" <<'END'
import sys
data = open(sys.argv[1], "rb").read()
at = data.find(bytes.fromhex(sys.argv[2])[:12])
with open(sys.argv[1], "r+b") as f:
    f.seek(at)
    f.write(bytes([data[at] ^ 1]))
print(at)
END
)
[ "$place" -gt 0 ] || bail_out 'the content was not found'
run_keep
refuses 'a bit in a content: nobody gets it' fetched f65535
ok 'others get theirs' fetched f65536
same_file 'whole' "$WORK/out" "$WORK/f65536"
status=0
ctl --json check --deep >"$WORK/problems" 2>&1 || status=$?
is 'a deep check ends with 65' $status 65
ok 'and names the page' grep -q "page $((place / 4096 + 1)) is damaged" "$WORK/problems"
ok 'and the file' grep -q "$id" "$WORK/problems"
is 'the log has it' "$(ctl --json audit query --event download | jq -s 'map(select(.event == "download.abort")) | length')" 1
stop_keep

done_testing
