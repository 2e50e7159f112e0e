#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The log over HTTPS: its tree for everybody who is known, verified by a program that has nothing of
# ours; its records for auditors, of their zones or of all; and every reading is itself recorded.
. "${top_srcdir:-.}/tests/talk/lib.sh"
. "$top_srcdir/tests/talk/https-lib.sh"
need curl jq ssh-keygen openssl
start_https
add_zone acme
add_zone globex
add_web_user anna client acme
add_web_user vera staff acme,globex
add_web_user olga auditor globex
add_web_user otto auditor '*'
KEY=$(<"$STATE/log/key.vkey")

random_file "$WORK/in" 1000
answers 'anna sends a file' 201 anna /files/acme/incoming/plan -T "$WORK/in"
answers 'and vera one to the other zone' 201 vera /files/globex/deliverables/secret -T "$WORK/in"
web anna '/files/acme/incoming/d[1-300]/?mkdir' -X POST
is 'there are some more records' "$STATUS" "$(printf '201%.0s' {1..300})"

# --- the tree ----------------------------------------------------------------------------

answers 'anna may read the checkpoint' 200 anna /log/checkpoint
is 'which is text' "$(field Content-Type)" 'text/plain; charset=utf-8'
is 'and not to be kept' "$(field Cache-Control)" 'private, no-cache'
size=$(sed -n 2p "$WORK/body")
[ "$size" -gt 300 ] && pass 'it covers what was done' || flunk 'it covers what was done' "$size records"
length=$(size_of "$WORK/body")
answers 'HEAD tells the same' 200 anna /log/checkpoint -I
[ "$(field Content-Length)" -ge "$length" ] && pass 'with its length' || flunk 'with its length' "$(<"$WORK/headers")"
answers 'anna may read a tile' 200 anna /log/tile/0/000
is 'of 256 hashes' "$(size_of "$WORK/body")" 8192
is 'which are bytes' "$(field Content-Type)" application/octet-stream
is 'and stay as they are' "$(field Cache-Control)" 'private, max-age=31536000, immutable'
cp "$WORK/body" "$WORK/tile"
answers 'HEAD of a tile too' 200 anna /log/tile/0/000 -I
is 'with its length' "$(field Content-Length)" 8192
answers 'and a part of it' 200 anna /log/tile/0/000.p/7
cmp -s <(head -c 224 "$WORK/tile") "$WORK/body" && pass 'which is its beginning' || flunk 'which is its beginning'
answers 'one of the level above' 200 anna /log/tile/1/000.p/1
for path in 0/000.p/0 0/000.p/256 0/000.p/01 0/000.p/ 0/000.p 0/00 0/0000 0/1 0/x000/000 0/x001/000 0/x1/000 00/000 64/000 \
	8/000 63/000 -1/000 1/000.p/2 1/000 0/001 0/999 '0/%30%30%30' 0/000/ /0/000 0//000 entries/ 0 0/ x entries/000x \
	0/x999/x999/x999/x999/x999/x999/999 0/x009/x223/x372/x036/x854/x775/807 0/../0/000 ../checkpoint; do
	answers "there is no tile '$path'" 404 anna "/log/tile/$path" --path-as-is
done
for path in /log /log/ /log/checkpoint/ /log/tile /log/tile/ /log/key /log/records/ /log/records-000000.jsonl /log/../log/checkpoint; do
	answers "there is no '$path'" 404 anna "$path" --path-as-is
done
for path in /log/checkpoint /log/tile/0/000 /log/records; do
	answers "nobody else reads $path" 401 - "$path"
	answers "nobody writes $path" 405 otto "$path" -X PUT -d x
	is 'and is told what can be done' "$(field Allow)" 'GET, HEAD, OPTIONS'
	answers "nor deletes it" 405 otto "$path" -X DELETE
done

# --- entries -----------------------------------------------------------------------------

for user in anna vera olga; do
	answers "$user may not read the entries" 404 $user /log/tile/entries/000
	answers "nor a part of them" 404 $user /log/tile/entries/000.p/1
done
answers 'otto may' 200 otto /log/tile/entries/000
is 'they stay as they are' "$(field Cache-Control)" 'private, max-age=31536000, immutable'
answers 'but not what is not there yet' 404 otto /log/tile/entries/001
answers 'nor in pieces of another size' 404 otto /log/tile/entries/001.p/255
ok 'all of it agrees, says another program' python "$top_srcdir/tests/talk/tlog-verify.py" "$URL" "$CA" "$WORK/otto.header" "$KEY"
like 'it has seen the uploads' "$OUT" 'upload.complete 2'
cat "$STATE"/log/records-*.jsonl >"$WORK/lines"
answers 'a bundle' 200 otto /log/tile/entries/000.p/1
cmp -s <(tail -c +3 "$WORK/body") <(head -n 1 "$WORK/lines" | tr -d '\n') && pass 'is the line of the log' || flunk 'is the line of the log'

# --- records -----------------------------------------------------------------------------

answers 'anna may read no records' 404 anna /log/records
answers 'not of her zone either' 404 anna '/log/records?zone=acme'
answers 'nor vera' 404 vera '/log/records?zone=globex'
answers 'olga may, of her zone' 200 olga /log/records
is 'as lines of JSON' "$(field Content-Type)" application/x-ndjson
is 'which nobody keeps' "$(field Cache-Control)" no-store
is 'they are of no other' "$(jq -r .zone "$WORK/body" | sort -u)" globex
is 'with paths opened' "$(jq -r 'select(.event == "upload.complete").path' "$WORK/body")" /globex/deliverables/secret
is 'and hashes' "$(jq -r 'select(.event == "upload.complete").sha256' "$WORK/body")" "$(hash_of "$WORK/in")"
all=$(jq -s length "$WORK/body")
answers 'the same with its name' 200 olga '/log/records?zone=globex'
is 'and as many, and the reading of just now' "$(jq -s length "$WORK/body")" "$all"
answers 'another zone does not exist' 404 olga '/log/records?zone=acme'
answers 'as one that does not' 404 olga '/log/records?zone=none'
is 'and the same is said' "$(jq -r .detail "$WORK/body")" "$(web olga '/log/records?zone=acme'; jq -r .detail "$WORK/body")"
answers 'otto reads all' 200 otto '/log/records?limit=10000'
like 'of zones and of none' "$(jq -r '.zone // "none"' "$WORK/body" | sort -u | tr '\n' ' ')" '^acme globex none $'
is 'none is missing' "$(jq -s 'map(.seq) == [range(length)]' "$WORK/body")" true
unlike 'nothing is sealed' "$(<"$WORK/body")" sealed
answers 'as the operator sees them' 200 otto '/log/records?event=upload.complete'
is 'line for line' "$(<"$WORK/body")" "$(ctl --json audit query --event upload.complete | jq -c .)"

# what QUERY CONDITION: those are found, some of them, and no others.
what() {
	answers "otto asks for $1" 200 otto "/log/records?limit=10000&$1"
	ok "all that is so, and nothing else" jq -se "length > 0 and all(.[]; $2)" "$WORK/body"
	local found
	found=$(jq -s length "$WORK/body")
	web otto '/log/records?limit=10000&before='"$size"
	is 'and none is passed over' "$(jq -s "map(select($2)) | length" "$WORK/body")" "$found"
}
what "before=$size&zone=acme" '.zone == "acme"'
what "before=$size&user=anna" '.actor == "anna"'
what "before=$size&user=operator%3A$(id -u)" '.actor | startswith("operator:")'
what "before=$size&event=upload" '.event | startswith("upload.")'
what "before=$size&event=folder.make&user=anna" '.event == "folder.make"'
what "before=$size&outcome=ok&zone=globex" '.outcome == "ok" and .zone == "globex"'
first=$(head -n 1 "$WORK/lines" | jq -r .time)
last=$(sed -n "$size"p "$WORK/lines" | jq -r .time)
what "before=$size&since=$first" ".time >= \"$first\""
what "before=$size&until=$last" ".time < \"$last\""
what "before=$size&since=${last%%T*}" 'true'
object=$(ctl --json audit query --event upload.complete --zone acme | jq -r .object)
what "before=$size&object=$object" ".object == \"$object\""
answers 'nothing is found where nothing is' 200 otto '/log/records?user=nobody'
is 'in an empty page' "$(size_of "$WORK/body")" 0
answers 'HEAD tells how much it were' 200 otto "/log/records?before=$size&limit=2" -I
for bad in 'since=yesterday' 'since=' 'until=2026-02-30' 'until=2026-01-31T25:00:00Z' 'outcome=maybe' 'object=xyz' 'object=ABCDEF00112233445566778899AABBCC' \
	'after=-1' 'after=x' 'before=0' 'limit=0' 'limit=10001' 'limit=1&limit=2' 'zone' 'zone=' 'zone=%' 'zone=a%00' 'usr=anna' '&' 'limit=99999999999999999999' \
	"zone=$(printf 'a%.0s' {1..65})"; do
	answers "what is no question is told: $bad" 400 otto "/log/records?$bad"
	is 'as invalid' "$(problem)" invalid
done

# --- pages -------------------------------------------------------------------------------

# pages USER QUERY: all of them, by their links, as numbers; $PAGES of them.
pages() {
	local user=$1 next="/log/records?$2"
	PAGES=0
	: >"$WORK/numbers"
	while [ -n "$next" ] && [ $PAGES -lt 400 ]; do
		web "$user" "$next"
		[ "$STATUS" = 200 ] || break
		jq .seq "$WORK/body" >>"$WORK/numbers"
		next=$(field Link | sed -n 's/^<\([^>]*\)>; rel="next"$/\1/p')
		PAGES=$((PAGES + 1))
	done
}
pages otto 'limit=100'
like 'pages come to an end, though each is a record more' "$PAGES" '^[4-6]$'
n=$(wc -l <"$WORK/numbers")
is 'and have each record once' "$(seq 0 $((n - 1)) | cmp - "$WORK/numbers" && echo same)" same
web olga '/log/records'
wanted=$(jq .seq "$WORK/body")
pages olga "limit=1&before=$(($(tail -n 1 <<<"$wanted") + 1))"
is 'one by one' "$(<"$WORK/numbers")" "$wanted"
is 'without an empty page at the end' "$PAGES" "$(wc -l <<<"$wanted")"
pages otto 'event=folder.make&user=anna&limit=123&since=2020-01-01T00%3A00%3A00%2B02:00'
is 'filters go along' "$PAGES $(wc -l <"$WORK/numbers")" '3 300'
web otto '/log/records?after=5&limit=2'
is 'one begins where one likes' "$(jq -c .seq "$WORK/body" | tr '\n' ' ')" '6 7 '
web otto '/log/records?after=999999'
is 'behind the end there is nothing yet' "$STATUS $(size_of "$WORK/body") $(field Link)" '200 0 '

# --- readings are recorded --------------------------------------------------------------------

count() { ctl --json audit query --event "$1" --user "$2" | jq -s length; }
before=$(count audit.query otto)
web otto '/log/records?zone=acme&event=upload&limit=3'
is 'a query is a record' $(($(count audit.query otto) - before)) 1
record=$(ctl --json audit query --event audit.query --user otto | tail -n 1)
is 'with what was asked' "$(jq -cS .detail.filter <<<"$record")" '{"event":"upload","zone":"acme"}'
is 'and how much was found' "$(jq -c '[.zone, .detail.count, .role, .method, .outcome]' <<<"$record")" '["acme",2,"auditor","token","ok"]'
web olga '/log/records?zone=globex'
web olga '/log/records?zone=globex&event=audit'
like 'the auditor of a zone sees who has read its records' "$(<"$WORK/body")" '"actor":"olga".*"event":"audit.query"'
is 'a refusal is none of these' "$(count audit.query anna)" 0
before=$(count audit.entries otto)
web otto '/log/tile/entries/000.p/[3-4]'
is 'entries are recorded each time' $(($(count audit.entries otto) - before)) 2
is 'with which' "$(ctl --json audit query --event audit.entries --user otto | tail -n 1 | jq -c .detail)" '{"first":0,"count":4}'
before=$(count audit.tree anna)
web anna '/log/tile/0/000.p/[1-20]'
is 'the tree once for each session' $(($(count audit.tree anna) - before)) 1
tree_reads() { [ "$(ctl --json audit query --event session.close --user anna | tail -n 1 | jq .detail.tree_reads)" = 20 ]; }
ok 'whose end has the number' wait_for 20 tree_reads
ok 'and all the log verifies' ctl audit verify

# --- rights that change ------------------------------------------------------------------------

ok 'anna becomes an auditor of her zone' ctl grant anna acme a
answers 'and reads its records' 200 anna '/log/records?limit=1'
answers 'but no entries' 404 anna /log/tile/entries/000
ok 'until she is none' ctl revoke anna acme a
answers 'then there are none' 404 anna '/log/records?limit=1'
ok 'a zone goes' ctl zone remove globex --yes
answers 'and with it what olga may see' 404 olga /log/records
answers 'otto sees that there was something' 200 otto '/log/records?zone=globex&event=upload.complete'
is 'which is erased' "$(jq -c '[.erased, .path]' "$WORK/body")" '[true,null]'
add_zone globex
ok 'another zone takes its name' ctl grant olga globex a
answers 'olga reads its records' 200 olga '/log/records'
is 'and none of the one before' "$(jq -r .event "$WORK/body" | sort -u | tr '\n' ' ')" 'grant zone.add '
ok 'the tree verifies as before' python "$top_srcdir/tests/talk/tlog-verify.py" "$URL" "$CA" "$WORK/otto.header" "$KEY"
stop_keep
done_testing
