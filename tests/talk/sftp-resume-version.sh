#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# An unfinished upload beside a finished version of its name: everybody else sees the version all
# along, its sender how far the next one is; and one name that two users want.
. "${top_srcdir:-.}/tests/talk/resume-lib.sh"
need sftp ssh-keygen jq
story_begins
random_file "$WORK/other" 2000000

# beside WHAT SIZE: a part of that size or more of the next version, and the old one (short).
beside() {
	local size
	is "$1: the version stays for bob" "$(size_for bob /acme/incoming/file)" 3000001
	rm -f "$WORK/out"
	ok "$1: who gets it" sftp_as bob <<<"get /acme/incoming/file $WORK/out"
	same_file "$1: as it was" "$WORK/out" "$WORK/short"
	size=$(size_for alice incoming/file)
	[ "$size" -ge "$2" ]
	is "$1: while alice sees how far the next one is" $? 0
	refuses "$1: which she cannot read" sftp_as alice <<<"get incoming/file $WORK/none"
	refuses "$1: the name is taken for anna" sftp_as anna <<<"put $WORK/other incoming/file"
	is "$1: who does not see it" "$(names_for anna incoming)" ''
}

ok 'a version' sftp_as alice <<<"put $WORK/short incoming/file"
half "reput $WORK/in incoming/file"
is 'while it grows: the version stays for bob' "$(size_for bob /acme/incoming/file)" 3000001
cut_off
beside 'grown from it' 3000001
completes 'grown from it' file

ok 'a version' sftp_as alice <<<"put $WORK/short incoming/file"
half "put $WORK/in incoming/file"
cut_off
beside 'begun anew' 1000000
completes 'begun anew' file

ok 'a version' sftp_as alice <<<"put $WORK/short incoming/file"
half "put $WORK/in incoming/file"
cut_off
ok 'rm removes the part first' sftp_as alice <<<'rm incoming/file'
is 'the version is still there for alice' "$(size_for alice incoming/file)" 3000001
is 'and for bob' "$(size_for bob /acme/incoming/file)" 3000001
half "put $WORK/in incoming/file"
cut_off
ok 'another put discards the part' sftp_as alice <<<"put $WORK/other incoming/file"
WHOLE=$WORK/other
whole 'discarded by put' file
WHOLE=$WORK/in

# A part that no version stands beside is the next one's way to the name for its sender alone.
half "put $WORK/in incoming/file" 500000 4000
refuses 'a name in progress is taken for anna' sftp_as anna <<<"put $WORK/other incoming/file"
like 'who is told' "$OUT" 'name is taken|Failure'
refuses 'also to resume' sftp_as anna <<<"reput $WORK/other incoming/file"
refuses 'and to rename to' sftp_as anna <<<"put $WORK/other incoming/mine"$'\nrename incoming/mine incoming/file'
cut_off
refuses 'so is one that was left' sftp_as anna <<<"put $WORK/other incoming/file"
refuses 'which she cannot remove' sftp_as anna <<<'rm incoming/file'
refuses 'nor move away' sftp_as anna <<<'rename incoming/file incoming/away'
ok 'what is her own' sftp_as anna <<<'rm incoming/mine'
completes 'wanted by two' file
ok 'then the name is free' sftp_as anna <<<"put $WORK/other incoming/file"
refuses 'and taken for alice' sftp_as alice <<<"put $WORK/in incoming/file"
is 'bob sees one file' "$(size_for bob /acme/incoming/file)" 2000000
ok 'it is removed' sftp_as anna <<<'rm incoming/file'

story_ends
