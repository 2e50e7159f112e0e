#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# OpenSSH's scp, which speaks SFTP by itself since 9.0: both ways, with times, and whole trees.
# Its older protocol wants a command on the server, which there is not.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need scp ssh-keygen
version=$(ssh -V 2>&1)
[[ $version =~ OpenSSH_(9|[1-9][0-9])\. ]] || skip_all "scp speaks SFTP since OpenSSH 9.0; this is $version"

start_keep
add_zone acme
add_user alice client acme
add_user bob staff acme
random_file "$WORK/in" 3M
touch -d 2011-12-13T14:15:16Z "$WORK/in"

ok 'alice copies a file there' scp_as alice "$WORK/in" remote:incoming/report
ok 'bob copies it here' scp_as bob remote:/acme/incoming/report "$WORK/out"
same_file 'and it is the same' "$WORK/out" "$WORK/in"
ok 'into a folder, by its own name, with its time' scp_as alice -p "$WORK/in" remote:incoming/
ok 'and back with it' scp_as bob -p remote:/acme/incoming/in "$WORK/out"
is 'to the second' "$(stat -c %Y "$WORK/out")" "$(stat -c %Y "$WORK/in")"

mkdir -p "$WORK/tree/deep/deeper"
random_file "$WORK/tree/a" 100
random_file "$WORK/tree/deep/b b" 65536
random_file "$WORK/tree/deep/deeper/ü" 200000
: >"$WORK/tree/deep/none"
ok 'a tree goes there' scp_as alice -r "$WORK/tree" remote:incoming/
ok 'and comes here' scp_as bob -r remote:/acme/incoming/tree "$WORK/back"
ok 'and is the same' diff -r "$WORK/tree" "$WORK/back"
ok 'a second time over itself' scp_as alice -rp "$WORK/tree" remote:incoming/
ok 'files by pattern' scp_as bob "remote:/acme/incoming/tree/deep/*e" "$WORK/"
same_file 'of which there is one' "$WORK/none" "$WORK/tree/deep/none"

refuses 'nothing that is not there' scp_as bob remote:/acme/incoming/nothing "$WORK/none"
refuses 'nothing that one may not read' scp_as alice remote:incoming/report "$WORK/none"
refuses 'nothing where one may not put' scp_as alice "$WORK/in" remote:deliverables/in
refuses 'nothing straight into the zone' scp_as alice "$WORK/in" remote:/acme/in
refuses 'no scp of the old kind' scp_as alice -O "$WORK/in" remote:incoming/old
refuses 'which left nothing' scp_as bob remote:/acme/incoming/old "$WORK/none"
stop_keep

done_testing
