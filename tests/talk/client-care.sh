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

done_testing
