#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# lftp: mirrors in both directions with several transfers at once, put -c and pget, which open
# finished files again and read one file in several places.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need lftp ssh-keygen

start_keep
add_zone acme
add_user alice client acme
add_user bob staff acme

# lftp_as USER COMMANDS: the first that fails ends it.
lftp_as() {
	ssh_options "$1"
	HOME=$WORK in_time lftp -c "set cmd:fail-exit yes; set net:max-retries 2; set net:timeout 20;
		set sftp:auto-confirm no;
		set sftp:connect-program \"ssh -a -x ${SSH_OPTIONS[*]}\";
		open -u $1,no-password sftp://127.0.0.1:$PORT; $2"
}

random_file "$WORK/in" 3M
head -c 1234567 "$WORK/in" >"$WORK/short"

ok 'alice puts a file' lftp_as alice "put $WORK/in -o incoming/report"
ok 'bob gets it' lftp_as bob "get /acme/incoming/report -o $WORK/out"
same_file 'and it is the same' "$WORK/out" "$WORK/in"
ok 'a listing' lftp_as bob 'cls -l /acme/incoming'
like 'with names and sizes' "$OUT" '3145728 .*report'
ok 'a beginning' lftp_as alice "put $WORK/short -o incoming/grows"
ok 'and what follows' lftp_as alice "put -c $WORK/in -o incoming/grows"
rm -f "$WORK/out"
ok 'bob gets it in four pieces at once' lftp_as bob "pget -n 4 /acme/incoming/grows -o $WORK/out"
same_file 'as one' "$WORK/out" "$WORK/in"
discard "$WORK/out"
cp "$WORK/short" "$WORK/out"
ok 'he goes on with a download' lftp_as bob "get -c /acme/incoming/grows -o $WORK/out"
same_file 'and has it all' "$WORK/out" "$WORK/in"

mkdir -p "$WORK/tree/deep/deeper"
for i in 1 2 3 4 5 6 7 8; do
	random_file "$WORK/tree/deep/file $i" $((i * 40000))
done
: >"$WORK/tree/deep/deeper/none"
touch -d 2012-01-02T03:04:05Z "$WORK/tree/deep/file 3"
ok 'a tree goes there, three files at a time' lftp_as alice "mirror -R -P 3 $WORK/tree incoming/tree"
ok 'and comes here' lftp_as bob "mirror -P 3 /acme/incoming/tree $WORK/back"
ok 'and is the same' diff -r "$WORK/tree" "$WORK/back"
is 'times included' "$(stat -c %Y "$WORK/back/deep/file 3")" "$(stat -c %Y "$WORK/tree/deep/file 3")"
ok 'again: nothing to do' lftp_as alice "mirror -R -v $WORK/tree incoming/tree"
unlike 'and nothing is done' "$OUT" 'Transferring file'
rm "$WORK/tree/deep/file 7"
random_file "$WORK/tree/deep/file 9" 300000
random_file "$WORK/tree/deep/file 1" 30000
ok 'changes, and what is gone' lftp_as alice "mirror -R --delete $WORK/tree incoming/tree"
discard "$WORK/back"
ok 'come here' lftp_as bob "mirror /acme/incoming/tree $WORK/back"
ok 'and all is the same' diff -r "$WORK/tree" "$WORK/back"
ok 'all of it is removed' lftp_as alice 'rm -r incoming/tree'
ok 'files move' lftp_as alice 'mv incoming/report incoming/moved; mkdir incoming/new; rmdir incoming/new'

refuses 'a refusal' lftp_as alice "put $WORK/in -o deliverables/report"
like 'says why' "$OUT" 'you may not put files here'
refuses 'another one' lftp_as alice "put $WORK/in -o report"
like 'says where to' "$OUT" 'use incoming/'
refuses 'what is not there' lftp_as bob "get /acme/incoming/report -o $WORK/none"
stop_keep

done_testing
