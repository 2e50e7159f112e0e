#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# psftp, with an SSH and an SFTP that owe nothing to OpenSSH or libssh: put, reput, get, reget,
# trees. What it writes, and how many requests it keeps under way, is its own.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need psftp puttygen ssh-keygen

start_keep
add_zone acme
add_user alice client acme
add_user bob staff acme
HOSTKEY=$(ssh-keygen -lf "$STATE/keys/ssh_host_ed25519_key.pub" | cut -d ' ' -f 2)
for user in alice bob; do
	puttygen "$WORK/$user.key" -O private -o "$WORK/$user.ppk" >"$WORK/puttygen.out" 2>&1 ||
		{ diag_file "$WORK/puttygen.out"; bail_out 'puttygen does not convert a key'; }
done

# psftp_as USER: commands come from standard input; the first that fails ends it, status 1 (a
# file that may not be opened is no failure to it, so what came is looked at as well).
psftp_as() {
	HOME=$WORK in_time psftp -batch -P "$PORT" -i "$WORK/$1.ppk" -hostkey "$HOSTKEY" \
		-b /dev/stdin "$1@127.0.0.1"
}

random_file "$WORK/in" 3M
head -c 1234567 "$WORK/in" >"$WORK/short"

ok 'alice enters' psftp_as alice <<<pwd
like 'where she should' "$OUT" 'Remote directory is /acme'
ok 'she puts a file' psftp_as alice <<<"put $WORK/in incoming/report"
ok 'bob gets it' psftp_as bob <<<"get /acme/incoming/report $WORK/out"
same_file 'and it is the same' "$WORK/out" "$WORK/in"
ok 'a listing' psftp_as bob <<<'ls /acme/incoming'
like 'with names and sizes' "$OUT" 'alice +3145728 .* report'

ok 'a beginning' psftp_as alice <<<"put $WORK/short incoming/grows"
ok 'and what follows' psftp_as alice <<<"reput $WORK/in incoming/grows"
discard "$WORK/out"
ok 'bob gets both' psftp_as bob <<<"get /acme/incoming/grows $WORK/out"
same_file 'as one' "$WORK/out" "$WORK/in"
discard "$WORK/out"
cp "$WORK/short" "$WORK/out"
ok 'he goes on with a download' psftp_as bob <<<"reget /acme/incoming/grows $WORK/out"
same_file 'and has it all' "$WORK/out" "$WORK/in"

mkdir -p "$WORK/tree/deep"
random_file "$WORK/tree/a" 70000
random_file "$WORK/tree/deep/b" 1
: >"$WORK/tree/deep/none"
ok 'a tree goes there' psftp_as alice <<<"put -r $WORK/tree incoming/tree"
ok 'and comes here' psftp_as bob <<<"get -r /acme/incoming/tree $WORK/back"
ok 'and is the same' diff -r "$WORK/tree" "$WORK/back"
ok 'files move and go' psftp_as alice <<<$'mv incoming/report incoming/tree/report\nrm incoming/tree/report\nmkdir incoming/new\nrmdir incoming/new'

# It has its own words for a refusal, and goes on after it.
for command in "put $WORK/in deliverables/report" "put $WORK/in report" "get incoming/grows $WORK/none"; do
	said_by psftp_as alice <<<"$command"
	like "refused: ${command//$WORK\//}" "$OUT" 'permission denied'
done
[ ! -s "$WORK/none" ]
is 'and nothing came' $? 0
stop_keep

done_testing
