#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The client and the daemon: enrolment, sending, fetching, clients and staff; connections that are
# cut, a client that is killed, a server that is killed and started again, and what was sent is the
# same each time. What is sent while the server dies has 1 GiB; with DROPKEEP_BIG so has what goes
# through a network that fails, and what is sent when the client dies; with sanitizers all is less.
. "${top_srcdir:-.}/tests/talk/lib.sh"
. "$top_srcdir/tests/talk/client-lib.sh"
need ssh-keygen jq
"$DROPKEEPCTL" user enroll --help >/dev/null 2>&1 || skip_all 'this dropkeepctl cannot enrol users'
HTTPS=$(free_port) || bail_out 'no free port'
new_keep --https "127.0.0.1:$HTTPS" --name localhost
set_conf https public_url "https://127.0.0.1:$HTTPS"
set_conf limits drain 1s
run_keep
add_zone acme
add_zone globex

# enrol NAME ROLE ZONES: a user of that name with a profile.
enrol() {
	add_user "$1" "$2" "$3"
	url=$(ctl user enroll "$1") || bail_out "cannot make an enrolment URL for $1"
	ok "$1 becomes known to the server" drop_as "$1" enroll "$url"
}
enrol anna client acme
like 'the URL has the key of the server' "$url" '#spki='
refuses 'it works once' drop_as mallory enroll "$url"
enrol bob client globex
enrol vera staff acme,globex
ok 'anna learns who she is' drop --json status
is 'it is she' "$(jq -r .user <<<"$OUT")" anna
is 'by her certificate' "$(jq -r .method <<<"$OUT")" certificate
second=$(ctl user enroll bob)
exits 'a URL with another key of the server is refused' 76 drop_as eve enroll "${second%#*}#spki=$(printf 'A%.0s' {1..43})"

# --- there and back ------------------------------------------------------------------------

random_file "$WORK/small" 100000
random_file "$WORK/large" 30M
: >"$WORK/empty"
mkdir -p "$WORK/tree/sub folder/ü" "$WORK/tree/none"
cp "$WORK/small" "$WORK/tree/sub folder/ü/ä & b.bin"
cp "$WORK/large" "$WORK/tree/large"
touch -d @1600000000 "$WORK/tree/large"
ln -s /etc/passwd "$WORK/tree/link"
echo no >"$WORK/tree/x.bak"
ok 'anna sends files' drop push "$WORK/small" "$WORK/large" "$WORK/empty"
ok 'and a folder, four at a time' drop push -r --jobs 4 --exclude '*.bak' "$WORK/tree" acme:incoming/
ok 'and standard input' drop push - --name piped <"$WORK/large"
ok 'she sees them' drop --json ls -R acme:incoming
like 'all of them' "$OUT" 'ä & b'
unlike 'but not what was left out' "$OUT" 'x\.bak|link'
mkdir "$WORK/vera" "$WORK/vera/all"
ok 'vera fetches what anna sent' drop_as vera pull -r --jobs 4 acme:incoming "$WORK/vera/all"
for file in small large empty; do
	same_file "$file is the same" "$WORK/$file" "$WORK/vera/all/incoming/$file"
done
same_file 'and what came by the pipe' "$WORK/large" "$WORK/vera/all/incoming/piped"
same_file 'and what was in folders' "$WORK/small" "$WORK/vera/all/incoming/tree/sub folder/ü/ä & b.bin"
is 'with its time' "$(stat -c %Y "$WORK/vera/all/incoming/tree/large")" 1600000000
[ -d "$WORK/vera/all/incoming/tree/none" ] && pass 'empty folders too' || flunk 'empty folders too'
ok 'one after the other too, an empty one first' drop_as vera pull acme:incoming/empty acme:incoming/small acme:incoming/large "$WORK/vera"
rm "$WORK/vera/empty" "$WORK/vera/small" "$WORK/vera/large"
# Many small files and empty ones, over and over: none of four threads waits for ever.
mkdir "$WORK/many" "$WORK/many/below"
for ((i = 1; i <= 20; i++)); do
	head -c $((i * i * i * 31)) "$WORK/large" >"$WORK/many/$i"
	head -c $((i * i * 97)) "$WORK/large" >"$WORK/many/below/$i"
	: >"$WORK/many/empty-$i"
done
ok 'anna sends many' drop push -r --jobs 4 "$WORK/many" acme:incoming/
often() {
	local i
	for ((i = 1; i <= 12; i++)); do
		rm -rf "$WORK/vera/many"
		CLIENT_SECONDS=20 drop_as vera pull -r --jobs 4 acme:incoming/many "$WORK/vera" || return
		diff -r "$WORK/many" "$WORK/vera/many" || return
	done
}
ok 'vera fetches all of them, twelve times' often
ok 'they are removed' drop rm -r acme:incoming/many
ok 'vera sends an answer' drop_as vera push "$WORK/small" acme:deliverables/answer.pdf
ok 'anna fetches it' drop pull 'acme:deliverables/*.pdf' "$WORK"
same_file 'and it is the same' "$WORK/small" "$WORK/answer.pdf"
ok 'again, which changes nothing' drop pull acme:deliverables/answer.pdf "$WORK"
drop pull acme:deliverables/answer.pdf - >"$WORK/stdout"
same_file 'standard output has it too' "$WORK/small" "$WORK/stdout"
before=$(drop receipt list | wc -l)
ok '--if-changed sends nothing that is there' drop push --if-changed "$WORK/small" "$WORK/large"
is 'there are no more receipts' "$(drop receipt list | wc -l)" "$before"
record=$(drop --json receipt list | jq -r .record | head -n 1)
ok 'a receipt verifies' drop receipt verify "$record"
like 'and the log of today continues it' "$OUT" 'continues'
seen=$(find "$WORK/home-anna/data/dropkeep/default/log" -name '*.checkpoint')
size_seen() { sed -n 2p "$seen"; }
is 'the newest checkpoint that was seen is kept' "$(sed -n 1p "$seen")" "$(jq -r .log.origin "$WORK/home-anna/config/dropkeep/default/profile.json")"
size=$(size_seen)
ok 'each push compares the log with it' drop push "$WORK/small" acme:incoming/again
[ "$(size_seen)" -gt "$size" ] && pass 'and keeps the newer one' || flunk 'and keeps the newer one' "$(size_seen) after $size"
ok 'vera has her own' drop_as vera receipt verify "$(drop_as vera --json receipt list | jq -r .record | head -n 1)"
key=$(jq -r .log.key "$WORK/home-anna/config/dropkeep/default/profile.json")
receipt=$(find "$WORK/home-anna/data" -name '*.tlog-proof' | head -n 1)
ok 'offline too, by the key alone' drop_as nobody receipt verify --key "$key" "$receipt"

# --- rights ----------------------------------------------------------------------------------

exits 'anna cannot see another zone' 66 drop ls globex:
exits 'nor send there' 66 drop push "$WORK/small" globex:incoming/x
exits 'nor fetch from there' 66 drop pull globex:incoming/x "$WORK"
refuses 'nor send to deliverables' drop push "$WORK/small" acme:deliverables/x
exits 'what is not there is not there' 66 drop pull acme:deliverables/none "$WORK"
exits 'vera must say where to' 64 drop_as vera push "$WORK/small"
like 'and is told what there is' "$OUT" 'acme'
ok 'anna renames what she has sent' drop mv acme:incoming/small acme:incoming/renamed
ok 'and removes it' drop rm acme:incoming/renamed
exits 'it is gone' 66 drop stat acme:incoming/renamed
ok 'folders with all that is in them' drop rm -r acme:incoming/tree
ok 'she makes a folder' drop mkdir acme:incoming/new
exits 'which is there then' 73 drop mkdir acme:incoming/new
ok 'a file of another content does not take its place silently' drop push "$WORK/small" acme:incoming/once
exits 'a client who is shut out is' 77 eval 'ctl user disable bob >/dev/null; drop_as bob status'

# --- what goes wrong on the way --------------------------------------------------------------

size=256 whole=1024 cut=40000000
[ -z "${DROPKEEP_BIG-}" ] || size=1024 cut=$((1 << 30))
[ -z "${ASAN_OPTIONS-}" ] || size=$((size / 4)) whole=256 cut=$((cut / 4))
CLIENT_SECONDS=1200
random_file "$WORK/huge" ${size}M
sent=$(hash_of "$WORK/huge")
arrived() { drop --json stat "acme:incoming/$1" | jq -r .sha256; }

drop_begin anna push --limit $((size / 4))M "$WORK/huge" acme:incoming/killed
sleep 1.5
kill -KILL $CLIENT_PID
drop_end
ok 'an upload goes on after kill -9 of the client' drop --json push "$WORK/huge" acme:incoming/killed
like 'where it was' "$OUT" '"resumed":true'
is 'and is whole' "$(arrived killed)" "$sent"

# Mostly holes, which only the file system here sees.
truncate -s ${whole}M "$WORK/whole"
for ((at = 0; at < whole; at += 8)); do
	head -c 100000 /dev/urandom | dd of="$WORK/whole" bs=1M seek=$at conv=notrunc status=none
done
more_than() { [ "$(du -sm "$STATE/blobs" | cut -f 1)" -ge "$1" ]; }
before=$(du -sm "$STATE/blobs" | cut -f 1)
drop_begin anna --json push --limit $((whole / 4))M "$WORK/whole" acme:incoming/restarted
wait_for 60 more_than $((before + whole / 4)) || flunk 'a quarter arrives'
crash_keep
run_keep
sleep 1
[ "$(wc -l <"$WORK/begun.out")" -gt 0 ] && alive $CLIENT_PID && pass 'the client is at work still' || flunk 'the client is at work still'
stop_keep 'the keep stops in mid-upload'
run_keep
drop_end
is 'a server that is killed, and one that is restarted, takes the upload up' $CLIENT_STATUS 0
like 'where it was' "$(<"$WORK/begun.out")" '"resumed":true'
is 'and it is whole' "$(arrived restarted)" "$(hash_of "$WORK/whole")"

drop_begin anna push --limit $((size / 4))M "$WORK/huge" acme:incoming/stopped
sleep 1.5
kill -INT $CLIENT_PID
drop_end
is 'Ctrl-C ends it with its status' $CLIENT_STATUS 130
ok 'and the same command goes on' drop push "$WORK/huge" acme:incoming/stopped
is 'and it is whole' "$(arrived stopped)" "$sent"

# A network that cuts the connection every 5 MB.
relay=$(free_port) || bail_out 'no free port'
mkfifo "$WORK/relay.in" "$WORK/relay.out"
python "$top_srcdir/tests/talk/relay.py" "$relay" "$HTTPS" <"$WORK/relay.in" >"$WORK/relay.out" &
own $!
exec 6>"$WORK/relay.in" 7<"$WORK/relay.out"
read -r -t 20 <&7
profile=$WORK/home-anna/config/dropkeep/default/profile.json
cp "$profile" "$WORK/profile.json"
sed -i "s|127.0.0.1:$HTTPS|127.0.0.1:$relay|" "$profile"
(while echo 'after 5000000 reset' >&6 && read -r <&7 && read -r <&7; do :; done) 2>/dev/null &
own $!
head -c $cut "$WORK/huge" >"$WORK/cut"
ok "a network that cuts every 5 MB is survived by $cut bytes" drop push "$WORK/cut" acme:incoming/cut
cp "$WORK/profile.json" "$profile"
is 'and it is whole' "$(arrived cut)" "$(hash_of "$WORK/cut")"

drop_begin vera pull --limit $((size / 8))M acme:incoming/stopped "$WORK/vera"
sleep 1.5
kill -KILL $CLIENT_PID
drop_end
ok 'a download goes on after kill -9' drop_as vera --json pull acme:incoming/stopped "$WORK/vera"
like 'where it was' "$OUT" '"resumed":true'
is 'and is whole' "$(hash_of "$WORK/vera/stopped")" "$sent"
is 'nothing temporary is left' "$(find "$WORK/vera" -name '.dropkeep*')" ''
ok 'all receipts of anna verify' drop receipt list
ok 'the log verifies' ctl audit verify
stop_keep
exits 'without a server it says so' 69 drop status --retries 0
done_testing
