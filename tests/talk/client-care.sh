#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the client does with files that are not what they seem, or are not left alone: two of one
# name, links, files that change or that somebody still writes to; and with those who have to wait,
# stop, and go on.
. "${top_srcdir:-.}/tests/talk/lib.sh"
. "$top_srcdir/tests/talk/client-lib.sh"
need ssh-keygen jq script
HTTPS=$(free_port) || bail_out 'no free port'
new_keep --https "127.0.0.1:$HTTPS" --name localhost
set_conf https public_url "https://127.0.0.1:$HTTPS"
run_keep
add_zone acme
add_user anna client acme
url=$(ctl user enroll anna) || bail_out 'cannot make an enrolment URL'
ok 'anna becomes known to the server' drop enroll "$url"
cd "$WORK" || bail_out 'no folder'

there_is() { drop ls acme:incoming | grep -q "^$1"; }

# --- files of one name -----------------------------------------------------------------------

# The second would take the first's place, and --delete-after would remove both.
mkdir -p two/a two/b two/c
echo one >two/a/note
echo two >two/b/note
exits 'files of one name are not sent to one folder' 64 drop push --delete-after two/a/note two/b/note
like 'and it says which' "$OUT" 'a/note.*b/note'
is 'none is lost' "$(cat two/?/note)" $'one\ntwo'
mv two/b two/c/a
exits 'nor are those of folders of one name' 64 drop push -r two/a two/c/a
mv two/c/a/note two/c/a/other
ok 'which become one else' drop push -r two/a two/c/a
is 'with all that is in them' "$(drop ls acme:incoming/a)" $'note\nother'

# --- files that are not left alone -------------------------------------------------------------

echo important >spool
exec 5>>spool
exits 'what somebody still writes to is not removed' 75 drop push --delete-after spool
like 'it says that it was sent' "$OUT" 'sent spool'
like 'and why it stays' "$OUT" 'still writes to it'
is 'it is there' "$(<spool)" important
exec 5>&-
ok 'it goes when that is over' drop push --delete-after spool
[ ! -e spool ] && pass 'it is gone' || flunk 'it is gone'
echo behind >behind
ln -s behind link
exits 'a link is not removed' 64 drop push --delete-after link
like 'and it says so' "$OUT" 'it was sent.*symbolic link'
is 'nor what is behind it' "$(cat behind link)" $'behind\nbehind'

# Between the walk and the sending somebody puts a link in the place of a file: here while the
# first of them is sent.
mkdir -p shared/sub private
head -c 3000000 /dev/urandom >shared/0
echo nothing >shared/1
echo nothing >shared/sub/2
echo secret >private/1
echo secret >private/2
drop_begin anna push -r --limit 1M shared
there() { drop stat acme:incoming/shared/sub; }
wait_for 20 there
ln -sf "$WORK/private/1" shared/1
mv shared/sub shared/away
ln -s "$WORK/private" shared/sub
drop_end
is 'links that come meanwhile are not followed' $CLIENT_STATUS 65
like 'and it says so' "$(<begun.out)" 'shared/1.*symbolic link'
is 'what is behind them is not sent' "$(drop ls -R acme:incoming/shared)" $'0\nsub/'

# Its time is set back, as some programs do: nothing of it may be mixed with what was sent before.
random_file vault 30M
drop_begin anna push --limit 4M vault
begun() { [[ $(drop --json ls acme:incoming | jq -r 'select(.name == "vault").size') -gt 1000000 ]]; }
wait_for 20 begun
kill -KILL $CLIENT_PID
drop_end
touch -r vault vault.time
random_file piece 100
dd if=piece of=vault conv=notrunc status=none
touch -r vault.time vault
ok 'a file that was changed and whose time was set back is sent' drop --json push vault
like 'from its beginning' "$OUT" '"resumed":false'
is 'and is whole' "$(drop --json stat acme:incoming/vault | jq -r .sha256)" "$(hash_of vault)"

random_file small.bin 1000
drop mkdir acme:incoming/all >/dev/null 2>&1

# --- stopping, and being left alone ------------------------------------------------------------

# From a pipe nothing may come for long; nobody can go on with what came.
mkfifo slow
exec 5<>slow
client_env anna
(exec "${CLIENT_ENV[@]}" "$DROPKEEP" push - acme:incoming/slow) <slow >begun.out 2>&1 &
CLIENT_PID=$!
own $CLIENT_PID
head -c 12000000 /dev/urandom >&5
begun() { [[ $(drop --json ls acme:incoming | jq -r 'select(.name == "slow").type') = partial ]]; }
wait_for 20 begun
kill -INT $CLIENT_PID
ended() { ! alive $CLIENT_PID; }
wait_for 5 ended && pass 'Ctrl-C ends the wait for standard input' || flunk 'Ctrl-C ends the wait for standard input'
exec 5>&-
drop_end
is 'with its status' $CLIENT_STATUS 130
like 'it says what to do' "$(<begun.out)" 'sent again from its beginning'
unlike 'and leaves nothing on the server' "$(drop ls acme:incoming)" 'slow'
drop_begin anna push --limit 4M vault acme:incoming/deaf
wait_for 20 there_is deaf
kill -INT $CLIENT_PID
drop_end
is 'a file is stopped too' $CLIENT_STATUS 130
trap '' HUP
drop_begin anna push --limit 16M vault acme:incoming/deaf
trap 'exit 129' HUP
wait_for 20 there_is deaf
kill -HUP $CLIENT_PID
drop_end
is 'nohup is heeded' $CLIENT_STATUS 0
drop_begin anna push --limit 16M vault acme:incoming/hung-up
wait_for 20 there_is hung-up
kill -HUP $CLIENT_PID
drop_end
is 'without it the end of the terminal stops' $CLIENT_STATUS 130

# With -r all goes: an unfinished upload, and the file that it hides.
ok 'a file is there' drop push small.bin acme:incoming/all/hidden
drop_begin anna push --limit 4M vault acme:incoming/all/hidden
hides() { [[ $(drop --json stat acme:incoming/all/hidden | jq -r .type) = partial ]]; }
wait_for 20 hides
kill -KILL $CLIENT_PID
drop_end
ok 'rm -r removes what an unfinished upload hides' drop rm -r acme:incoming/all
exits 'it is gone' 66 drop stat acme:incoming/all

# A folder under another name has made it when the same command is run again.
mkdir -p drawings/old
kept() { find home-anna/state -type f | sort; }
before=$(kept)
echo a >drawings/a
echo b >drawings/old/b
random_file drawings/z 12M
drop_begin anna push -r --limit 4M drawings acme:incoming/plans
wait_for 20 there_is plans
arrives() { [[ $(drop --json ls acme:incoming/plans | jq -r 'select(.name == "z").size') -gt 1000000 ]]; }
wait_for 20 arrives
kill -KILL $CLIENT_PID
drop_end
ok 'a folder under another name is gone on with' drop --json push -r drawings acme:incoming/plans
like 'where it was' "$OUT" 'drawings/z.*"resumed":true'
is 'and not below itself' "$(drop ls -R acme:incoming/plans)" $'a\nold/\nold/b\nz'
is 'nothing is kept of it' "$(kept)" "$before"
ok 'once it is there, the next goes into it' drop push -r drawings acme:incoming/plans
like 'under its name' "$(drop ls acme:incoming/plans)" 'drawings/'

# What another program began is not given up unasked, when it was meant to be gone on with.
drop_begin anna push --limit 4M vault acme:incoming/longer
wait_for 20 there_is longer
kill -KILL $CLIENT_PID
drop_end
exits 'an upload of another length is not gone on with' 75 drop push --continue small.bin acme:incoming/longer
like 'and it says what to do' "$OUT" 'without --continue'
like 'it is there' "$(drop ls acme:incoming)" 'longer .unfinished'
ok 'without --continue its name is taken' drop push small.bin acme:incoming/longer

# A number means the receipt of this log, whatever lies beside it.
receipts="$WORK/home-anna/data/dropkeep/default/receipts"
number=$(drop --json receipt list | jq -r .record | head -n 1)
mine=$(cd "$receipts" && echo "$number"-*)
for other in "$number-00000000.tlog-proof" "$mine.new"; do
	echo nonsense >"$receipts/$other"
	ok "a receipt is found beside $other" drop receipt show "$number"
	ok 'and all of this log are listed' drop receipt list
	rm "$receipts/$other"
done
cp "$receipts/$mine" "$receipts/$number-00000000.tlog-proof"
ok 'those of another log are no error' drop receipt list
like 'but told' "$OUT" '1 more .* another log'
rm "$receipts/$number-00000000.tlog-proof"
echo nonsense >>"$receipts/$mine"
exits 'a damaged one is' 65 drop receipt list

# --- what is drawn and said ----------------------------------------------------------------------

client_env anna
printf '%q ' "${CLIENT_ENV[@]}" TERM=xterm "$DROPKEEP" push --limit 4M - acme:incoming/drawn >run
echo '<small' >>run
random_file small 8M
ok 'on a terminal' script -qec "sh $WORK/run" typescript
like 'it draws how far standard input is' "$(tr '\r' '\n' <typescript)" '[0-9.]+ MiB/s'
ctl grant anna acme:incoming lr >/dev/null
printf '%q ' "${CLIENT_ENV[@]}" TERM=xterm "$DROPKEEP" pull --limit 4M acme:incoming/drawn - >run
echo '>piped' >>run
ok 'and back' script -qec "sh $WORK/run" typescript
like 'it draws how far standard output is' "$(tr '\r' '\n' <typescript)" 'MiB of 8 MiB.*[0-9.]+ MiB/s'
long=$(printf 'x%.0s' {1..200})
mkdir -p "$long/$long"
exits 'a long name' 66 drop push small "acme:incoming/$long/$long"
like 'cuts no reason off' "$OUT" 'no such file'
fish=$(drop completion fish | sed "s/\\\\.//g" | grep -cvE "^[^']*('[^']*'[^']*)*$")
for file in small small.bin; do
	exits "there is no folder for $file" 66 drop push $file acme:incoming/none/x
	like 'and it says what makes one' "$OUT" 'mkdir'
done
is 'what is for fish has no quote without an end' "$fish" 0

# --- a lost answer -------------------------------------------------------------------------------

start_fake
ok 'bob becomes known to another server' drop_as bob enroll "$(<"$FAKE/enroll.url")"
fake file /acme/incoming/twice text
fake fault mute
exits 'what may have been removed is not removed again' 75 drop_as bob rm acme:incoming/twice
like 'and it says what to do' "$OUT" 'dropkeep ls'
fake well
sed -i "s|127.0.0.1:$FAKE_PORT|127.0.0.1:1|" home-bob/config/dropkeep/default/profile.json
exits 'no server at all' 69 drop_as bob --json status --retries 0
like 'is called so' "$OUT" '"error":"not reachable"'


done_testing
