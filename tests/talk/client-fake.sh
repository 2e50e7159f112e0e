#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The client against a server that lies, breaks off and keeps no rule: what real servers cannot
# be made to do. Whatever it does, nothing is called good that is not, nothing is written where it
# was not asked for, and the client ends.
. "${top_srcdir:-.}/tests/talk/lib.sh"
. "$top_srcdir/tests/talk/client-lib.sh"
/usr/bin/python3 -c 'import cryptography' 2>/dev/null || skip_all 'python3-cryptography is not installed'
start_fake
url=$(<"$FAKE/enroll.url")
quick=(--retries 3)

# --- enrolment ---------------------------------------------------------------------------

wrong=${url%#*}#spki=$(printf 'A%.0s' {1..43})
exits 'another key of the server than the URL names is refused' 76 drop enroll "$wrong"
like 'and it says why' "$OUT" 'key is not the one'
is 'and nothing is left of it' "$(find "$WORK/home-anna/config" -type f 2>/dev/null)" ''
exits 'a certificate that nobody vouches for is refused without a pin' 76 drop enroll "${url%#*}"
exits 'a code that is not known is refused' 77 drop enroll "${url/c0de/c1de}"
for bad in http://127.0.0.1/enroll/c0dec0dec0de https://127.0.0.1/other/c0dec0dec0de 'https://u:p@127.0.0.1/enroll/c0dec0dec0de' \
	"${url}x" "${url%?}" nonsense ''; do
	exits "'${bad:0:30}' is no enrolment URL" 64 drop enroll "$bad"
done
is 'still nothing is left' "$(find "$WORK/home-anna/config" -type f 2>/dev/null)" ''
exits 'a profile is needed for everything else' 78 drop status
like 'and it says how to get one' "$OUT" 'dropkeep enroll'
fake fault json '{"user":"anna"}'
exits 'an answer that is not whole is refused' 76 drop enroll "$url"
fake well
fake code "$(sed 's|.*/enroll/||; s|#.*||' <<<"$url")"
ok 'enrolment works' drop enroll "$url"
is 'the key is for its user alone' "$(stat -c %a "$WORK/home-anna/config/dropkeep/default/key.pem")" 600
is 'and so is its folder' "$(stat -c %a "$WORK/home-anna/config/dropkeep/default")" 700
exits 'a second enrolment would replace the profile' 73 drop enroll "$url"
fake code again0again0
ok 'with --force it may' drop enroll --force "${url/c0de*#/again0again0#}"
fake code other0other0
ok 'another profile stands beside it' drop enroll --profile other "${url/c0de*#/other0other0#}"
is 'no half-made profile is left' "$(find "$WORK/home-anna/config/dropkeep" -name '.*' -not -path "$WORK/home-anna/config/dropkeep" | wc -l)" 0
exits 'a profile with slashes is none' 64 drop --profile ../x status

# --- what it is for ------------------------------------------------------------------------

random_file "$WORK/small" 300000
random_file "$WORK/big" 20M
ok 'a small file is sent' drop push "$WORK/small"
same_file 'and arrives' "$WORK/small" "$FAKE/sent/1"
ok 'a large file is sent' drop push "$WORK/big" acme:incoming/large
same_file 'and arrives' "$WORK/big" "$FAKE/sent/2"
ok 'standard input is sent' drop push - acme:incoming/stdin <"$WORK/big"
same_file 'and arrives' "$WORK/big" "$FAKE/sent/3"
: >"$WORK/empty"
ok 'an empty file is sent' drop push "$WORK/empty"
same_file 'and arrives' "$WORK/empty" "$FAKE/sent/4"
exits 'standard input needs a name' 64 drop push - acme:incoming/ <"$WORK/small"
ok 'it can have one' drop push - --name in.bin <"$WORK/small"
same_file 'and arrives' "$WORK/small" "$FAKE/sent/5"
ok 'with --if-changed, what is there is passed over' drop push --if-changed "$WORK/small"
is 'nothing was sent' "$(sent)" 5
ok 'receipts of all are there and verify' drop receipt verify 3 4 5 6 7
is 'so many of them' "$(drop receipt list | wc -l)" 5

# --- connections that break, servers that are busy -----------------------------------------

fake fault cut 7000000
ok 'a connection that ends every 7 MB is gone on with' drop push "${quick[@]}" "$WORK/big" acme:incoming/cut
fake well
same_file 'and all arrives' "$WORK/big" "$FAKE/sent/6"
fake fault cut 7000000
ok 'standard input too' drop push "${quick[@]}" - acme:incoming/cut2 <"$WORK/big"
fake well
same_file 'and all arrives' "$WORK/big" "$FAKE/sent/7"
mkdir "$WORK/into"
fake fault cut 7000000
# All three at once: they spend their time waiting before they try again.
drop pull "${quick[@]}" acme:incoming/cut "$WORK/into" >"$WORK/folder.out" 2>&1 &
folder=$!
drop pull "${quick[@]}" acme:incoming/cut -o "$WORK/into/piped" >"$WORK/piped.out" 2>&1 &
piped=$!
drop pull "${quick[@]}" acme:incoming/cut - >"$WORK/into/stdout" 2>"$WORK/stdout.out" &
stdout=$!
ended() { wait "$1" || { echo "status $?" && cat "$WORK/$2.out" && return 1; }; }
ok 'a download likewise' ended $folder folder
same_file 'and all arrives' "$WORK/big" "$WORK/into/cut"
ok 'and under another name' ended $piped piped
same_file 'and all arrives' "$WORK/big" "$WORK/into/piped"
ok 'and to standard output' ended $stdout stdout
same_file 'standard output has it' "$WORK/big" "$WORK/into/stdout"
fake well
fake fault busy 2
ok 'a server that is busy is asked again' drop push "${quick[@]}" "$WORK/small" acme:incoming/busy
fake fault busy 100
exits 'but not for ever' 75 drop push --retries 1 "$WORK/small" acme:incoming/busy2
fake well
fake fault cut 0
exits 'a server that never takes a byte ends it' 75 drop push --retries 1 "$WORK/big" acme:incoming/none
fake well
ok 'and it is sent when the server is well again' drop push "$WORK/big" acme:incoming/none
same_file 'whole' "$WORK/big" "$FAKE/sent/$(sent)"
fake fault silent
before=$(sent)
ok 'an answer that was lost is asked for' drop push "${quick[@]}" "$WORK/big" acme:incoming/silent
is 'and nothing was sent twice' "$(($(sent) - before))" 1

# kill -9 in the middle; the journal finds the upload again.
drop_begin anna push --limit 4M "$WORK/big" acme:incoming/killed
half() { fake state && [[ $FAKE_SAID =~ killed\",\ [0-9]{7} ]]; }
wait_for 20 half
kill -KILL $CLIENT_PID
drop_end
before=$(sent)
ok 'an upload goes on after kill -9' drop --json push "$WORK/big" acme:incoming/killed
like 'where it was' "$OUT" '"resumed":true'
same_file 'and all arrives' "$WORK/big" "$FAKE/sent/$((before + 1))"
is 'no journal is left' "$(find "$WORK/home-anna/state" -type f)" ''

# An upload in the way is this user's own, from another program.
fake fault cut 3000000
exits 'an upload is begun and broken off' 75 drop push --retries 0 "$WORK/big" acme:incoming/way
fake well
cp "$WORK/big" "$WORK/copy"
ok 'another file of that name takes its place' drop --json push "$WORK/copy" acme:incoming/way
unlike 'and goes on with nothing of it' "$OUT" '"resumed":true'
same_file 'it arrives' "$WORK/copy" "$FAKE/sent/$(sent)"
fake fault cut 3000000
exits 'an upload is begun and broken off' 75 drop push --retries 0 "$WORK/big" acme:incoming/way2
fake well
ok 'with --continue another goes on with it' drop --json push --continue "$WORK/copy" acme:incoming/way2
like 'it does' "$OUT" '"resumed":true'
same_file 'it arrives' "$WORK/copy" "$FAKE/sent/$(sent)"

# --- lies about uploads --------------------------------------------------------------------

fake fault hash
exits 'another hash than ours is no success' 65 drop push "$WORK/small" acme:incoming/lie
exits 'nor for large files' 65 drop push "$WORK/big" acme:incoming/lie
like 'and it says what is wrong' "$OUT" 'SHA-256'
fake well
fake fault receipt other
exits 'a receipt of another file is none' 65 drop push "$WORK/small" acme:incoming/r1
fake fault receipt forged
exits 'nor is one that another key has signed' 65 drop push "$WORK/small" acme:incoming/r2
fake fault receipt opened
exits 'nor one whose path is not that of its record' 65 drop push "$WORK/small" acme:incoming/r3
exits '--delete-after deletes nothing then' 65 drop push --delete-after "$WORK/copy" acme:incoming/r4
[ -f "$WORK/copy" ] && pass 'the file is there' || flunk 'the file is there'
fake well
ok '--delete-after deletes when all is well' drop push --delete-after "$WORK/copy" acme:incoming/r5
[ ! -e "$WORK/copy" ] && pass 'the file is gone' || flunk 'the file is gone'
fake fault cut 3000000
exits 'an upload is begun and broken off' 75 drop push --retries 0 "$WORK/big" acme:incoming/offset
fake well
fake fault offset 99999999999
before=$(sent)
ok 'an offset that cannot be begins the upload anew' drop push "${quick[@]}" "$WORK/big" acme:incoming/offset
fake well
same_file 'and all arrives' "$WORK/big" "$FAKE/sent/$((before + 1))"
fake fault cut 3000000
fake fault forget
exits 'a server that forgets uploads ends it' 76 drop push --retries 6 "$WORK/big" acme:incoming/forget
fake well
fake fault refuse 507
exits 'a refusal is one' 75 drop push "$WORK/small" acme:incoming/quota
like 'with its reason' "$OUT" 'quota exceeded'
unlike 'and no escape of the server reaches the terminal' "$OUT" $'\033|\007'
fake well

# Ctrl-C: it says how to go on, and does.
drop_begin anna push --limit 4M "$WORK/big" acme:incoming/stopped
begun() { fake state && [[ $FAKE_SAID =~ stopped\",\ [0-9]{6} ]]; }
wait_for 20 begun
kill -INT $CLIENT_PID
drop_end
is 'Ctrl-C ends it with its status' $CLIENT_STATUS 130
like 'and it says how to go on' "$(<"$WORK/begun.out")" 'The same command goes on'
ok 'the same command goes on' drop --json push "$WORK/big" acme:incoming/stopped
like 'where it was' "$OUT" '"resumed":true'

# A file that is written to while it is sent is not published.
drop_begin anna push --limit 16M "$WORK/big" acme:incoming/changed
begun() { fake state && [[ $FAKE_SAID =~ changed\",\ [0-9]{5} ]]; }
wait_for 20 begun
before=$(sent)
printf x >>"$WORK/big"
drop_end
is 'a file that changes while it is sent is not called sent' $CLIENT_STATUS 65
is 'and not published' "$(sent)" "$before"
fake state
unlike 'and nothing of it is left on the server' "$FAKE_SAID" changed

# --- names and contents of downloads ----------------------------------------------------------

mkdir "$WORK/jail" "$WORK/jail/to" "$WORK/outside"
for names in '["../evil"]' '["/etc/evil"]' '["a/b"]' '[".."]' '["."]' '[""]' '["x\u0000y"]' '["x\u001b[2Jy"]' '["dup","dup"]' '[7]'; do
	fake fault names "$names"
	exits "a listing with $names is refused" 76 drop pull -r acme:incoming "$WORK/jail/to"
	exits "ls refuses it too" 76 drop ls acme:incoming
done
is 'nothing was written anywhere' "$(find "$WORK/jail" "$WORK/outside" -type f)" ''
fake well
fake folder /acme/deliverables/sub
fake file /acme/deliverables/sub/f content
fake file /acme/deliverables/plain text
ln -s "$WORK/outside" "$WORK/jail/to/deliverables"
refuses 'a symbolic link in the way of a folder is not followed' drop pull -r acme:deliverables "$WORK/jail/to"
is 'nothing was written behind it' "$(find "$WORK/outside" -type f)" ''
rm "$WORK/jail/to/deliverables"
ln -s "$WORK/outside/new" "$WORK/jail/to/plain"
refuses 'nor is one in the place of a file' drop pull acme:deliverables/plain "$WORK/jail/to"
refuses 'not even with --force' drop pull --force acme:deliverables/plain "$WORK/jail/to"
is 'nothing was written behind it' "$(find "$WORK/outside" -type f)" ''
rm "$WORK/jail/to/plain"
mkfifo "$WORK/jail/to/plain"
exits 'a pipe in the place of a file is left alone' 65 drop pull --force acme:deliverables/plain "$WORK/jail/to"
rm "$WORK/jail/to/plain"
echo mine >"$WORK/jail/to/plain"
exits 'a file that is there is not replaced' 73 drop pull acme:deliverables/plain "$WORK/jail/to"
is 'it is as it was' "$(<"$WORK/jail/to/plain")" mine
ok 'with --force it is' drop pull --force acme:deliverables/plain "$WORK/jail/to"
is 'it is the server'"'"'s' "$(<"$WORK/jail/to/plain")" text
ok 'the same content is no conflict' drop pull acme:deliverables/plain "$WORK/jail/to"
ok 'folders are fetched' drop pull -r acme:deliverables "$WORK/jail/to"
is 'with what is in them' "$(<"$WORK/jail/to/deliverables/sub/f")" content
is 'with its time' "$(stat -c %Y "$WORK/jail/to/deliverables/sub/f")" 1700000000
rm -r "$WORK/jail/to/deliverables"
ok 'globs are matched' drop pull 'acme:del*/pl?in' "$WORK/jail"
is 'and fetched' "$(<"$WORK/jail/plain")" text
exits 'one that matches nothing is told' 66 drop pull 'acme:deliverables/*.none' "$WORK/jail"
rm "$WORK/jail/plain"
for fault in content longer; do
	fake fault $fault
	exits "a download with another content ($fault) is no success" 65 drop pull acme:deliverables/plain "$WORK/jail"
	is 'and leaves no file' "$(ls "$WORK/jail")" to
	exits 'nor on standard output' 65 drop pull acme:deliverables/plain -
	fake well
	rm -f "$WORK"/jail/.dropkeep-*
done
fake fault cut 1000000
exits 'a download is broken off' 75 drop pull --retries 0 acme:incoming/large "$WORK/jail"
fake well
fake fault range
exits 'another part than was asked for is refused' 76 drop pull acme:incoming/large "$WORK/jail"
fake well
ok 'and the download goes on when the server is well again' drop --json pull acme:incoming/large "$WORK/jail"
like 'where it was' "$OUT" '"resumed":true'
same_file 'it is whole' "$FAKE/sent/2" "$WORK/jail/large"
is 'no temporary file is left' "$(find "$WORK/jail" -name '.dropkeep*')" ''

# --- things that are no HTTP, no JSON, no log ----------------------------------------------

fake fault garbage 'SSH-2.0-nonsense\r\n'
exits 'what is no HTTP is refused' 76 drop status
fake well
fake fault garbage 'HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{'
exits 'an answer that is cut short is none' 75 drop status --retries 0
fake well
for json in '{' '[]' '"x"' '' 'null' '{"path":"/","entries":7}' '{"path":"/","entries":[7]}'; do
	fake fault json "$json"
	exits "ls of $json is refused" 76 drop ls acme:incoming
done
fake well
fake fault headers 500
exits 'headers without end are refused' 76 drop status
fake well
ok 'receipts verify against the log of today' drop receipt verify 3
like 'and it says so' "$OUT" 'continues'
fake fault rolled 2
exits 'a log that was rolled back is noticed' 65 drop receipt verify 3
like 'and it says so' "$OUT" 'rolled back'
fake well
fake fault rewritten
exits 'a log that was rewritten is noticed' 65 drop receipt verify 3
like 'and it says so' "$OUT" 'rewritten'
fake well
fake fault tile
exits 'nor do tiles that were altered pass' 65 drop receipt verify 3
fake well
fake fault log gone
exits 'a server that does not show its log is not trusted' 65 drop receipt verify 3
like 'and it says so' "$OUT" 'does not show its log'
like 'and how to do without' "$OUT" '--offline'
exits 'push does not trust it either' 65 drop push "$WORK/small" acme:incoming/unshown
like 'though all was sent' "$OUT" 'it was sent, and its receipts are kept'
fake well
ok 'a log that is shown again is compared' drop push "$WORK/small" acme:incoming/shown
for fault in 'rolled 2' rewritten tile; do
	# shellcheck disable=SC2086 # its words
	fake fault $fault
	exits "push notices it too ($fault)" 65 drop push "$WORK/small" "acme:incoming/noticed-${fault%% *}"
	like 'and says that all was sent' "$OUT" 'it was sent, and its receipts are kept'
	fake well
done
seen=$(find "$WORK/home-anna/data" -name '*.checkpoint')
is 'one checkpoint is kept' "$(wc -l <<<"$seen")" 1
[ -s "${seen%.checkpoint}.contradiction" ] && pass 'and one that contradicts it' || flunk 'and one that contradicts it'
cp "$seen" "$WORK/seen"
printf 'x\n' >"$seen"
exits 'a kept checkpoint that was changed is told' 65 drop receipt verify 3
like 'by its name' "$OUT" "${seen##*/}"
cp "$WORK/seen" "$seen"
ok 'all is well when it is back' drop receipt verify 3
ok 'offline the receipt alone is verified' drop receipt verify --offline 3
fake well
receipt=$(find "$WORK/home-anna/data" -name '3-*')
sed 's/^index 3/index 2/' "$receipt" >"$WORK/bad.tlog-proof"
exits 'a receipt that was changed does not verify' 65 drop receipt verify --offline "$WORK/bad.tlog-proof"
ok 'without a profile, by the key of the log alone' drop_as nobody receipt verify --key "$(<"$FAKE/log.vkey")" "$receipt"
exits 'by another key it does not' 65 drop_as nobody receipt verify --key 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k' "$receipt"
done_testing
