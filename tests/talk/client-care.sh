#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the client does with files that are not what they seem, or are not left alone: two of one
# name, links, files that change or that somebody still writes to; and with those who have to wait,
# stop, and go on.
. "${top_srcdir:-.}/tests/talk/lib.sh"
. "$top_srcdir/tests/talk/client-lib.sh"
need ssh-keygen jq
HTTPS=$(free_port) || bail_out 'no free port'
new_keep --https "127.0.0.1:$HTTPS" --name localhost
set_conf https public_url "https://127.0.0.1:$HTTPS"
run_keep
add_zone acme
add_user anna client acme
url=$(ctl user enroll anna) || bail_out 'cannot make an enrolment URL'
ok 'anna becomes known to the server' drop enroll "$url"
cd "$WORK" || bail_out 'no folder'

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
touch -r vault then
random_file piece 100
dd if=piece of=vault conv=notrunc status=none
touch -r then vault
ok 'a file that was changed and whose time was set back is sent' drop --json push vault
like 'from its beginning' "$OUT" '"resumed":false'
is 'and is whole' "$(drop --json stat acme:incoming/vault | jq -r .sha256)" "$(hash_of vault)"

done_testing
