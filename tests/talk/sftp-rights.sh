#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Who may do what: a client, another client of the same zone, staff, an auditor, somebody of
# another zone. Nobody sees what they must not, not even that it exists; refusals say why
# (sftp shows only a word of it, so the sentence is read from the log, where it must stand).
. "${top_srcdir:-.}/tests/talk/lib.sh"
need sftp ssh-keygen jq

start_keep
add_zone acme
add_zone globex
add_user alice client acme
add_user anna client acme
add_user bob staff acme
add_user gus client globex
add_user aud auditor acme
random_file "$WORK/in" 70000
random_file "$WORK/in2" 80000

# why USER: the reason of the last refusal in the log.
why() {
	ctl --json audit query --user "$1" |
		jq -rs 'map(select(.event | endswith(".refused"))) | last | .reason'
}

# denied DESCRIPTION USER COMMAND [REASON]: sftp says no in its word; the log says why.
denied() {
	refuses "$1" sftp_as "$2" <<<"$3"
	like '... as a refusal' "$OUT" 'Permission denied'
	[ $# -lt 4 ] || like "... that says why" "$(why "$2")" "$4"
}

# absent DESCRIPTION USER COMMAND: it is as if it were not there.
absent() {
	refuses "$1" sftp_as "$2" <<<"$3"
	like '... as if it were not there' "$OUT" 'not found|No such file'
}

# names USER FOLDER: what the user sees there, one a line.
names() { sftp_as "$1" <<<"ls -1 $2" 2>/dev/null | tail -n +2 | sed 's|.*/||'; }

# content USER PATH: its hash as the user gets it.
content() { rm -f "$WORK/got"; sftp_as "$1" <<<"get $2 $WORK/got" >/dev/null 2>&1 && hash_of "$WORK/got"; }

# --- a client ----------------------------------------------------------------------------

ok 'alice sends' sftp_as alice <<<"put $WORK/in incoming/report"
is 'sees what she sent' "$(names alice incoming)" report
denied 'but does not get it back: clients send' alice "get incoming/report $WORK/none" "right 'r'"
denied 'nothing goes straight into a zone' alice "put $WORK/in report" 'use incoming/'
denied 'nor beside the zones' alice "put $WORK/in /report" 'use /ZONE/incoming/'
denied 'nor among what staff delivers' alice "put $WORK/in deliverables/report" 'may not put'
denied 'no folders there' alice 'mkdir deliverables/mine' 'may not make folders'
denied 'nor in the zone' alice 'mkdir mine' 'may not make folders'
denied 'nor zones' alice 'mkdir /mine' 'only an operator'
denied "a zone's folders stay" alice 'rmdir incoming' 'stay as they are'
denied 'and keep their names' alice 'rename incoming inbox' 'stay as they are'
denied 'zones are no clients to rename' alice 'rename /acme /mine' 'only an operator'
denied 'reserved names are not to be had' alice "put $WORK/in incoming/.receipts" 'reserved'

# --- staff -------------------------------------------------------------------------------

is 'bob sees what came' "$(names bob /acme/incoming)" report
is 'and gets it' "$(content bob /acme/incoming/report)" "$(hash_of "$WORK/in")"
denied 'he does not remove it' bob 'rm /acme/incoming/report' "right 'd'"
denied 'nor rename it' bob 'rename /acme/incoming/report /acme/incoming/other' "right 'm'"
denied 'nor overwrite it' bob "put $WORK/in2 /acme/incoming/report" 'may not put'
denied 'nor touch it' bob 'chmod 600 /acme/incoming/report'
denied 'nor send into incoming' bob "put $WORK/in2 /acme/incoming/mine" 'may not put'
denied 'staff is told its own folder' bob "put $WORK/in2 /acme/mine" 'use deliverables/'
ok 'he delivers' sftp_as bob <<<"put $WORK/in2 /acme/deliverables/answer"
is 'alice sees it' "$(names alice deliverables)" answer
is 'and gets it' "$(content alice deliverables/answer)" "$(hash_of "$WORK/in2")"
denied 'but does not remove it' alice 'rm deliverables/answer' "right 'd'"
denied 'nor rename it' alice 'rename deliverables/answer deliverables/mine' "right 'm'"
denied 'nor overwrite it' alice "put $WORK/in deliverables/answer" 'may not put'
is 'all that changed nothing' "$(content alice deliverables/answer)" "$(hash_of "$WORK/in2")"
ok 'he makes folders, moves and removes what is his' sftp_as bob <<-EOF
	mkdir /acme/deliverables/2026
	rename /acme/deliverables/answer /acme/deliverables/2026/answer
	put $WORK/in /acme/deliverables/2026/answer
	rm /acme/deliverables/2026/answer
	rmdir /acme/deliverables/2026
EOF

# --- another client of the same zone -----------------------------------------------------

is 'anna sees nothing of what alice sent' "$(names anna incoming)" ''
absent 'nor gets it' anna "get incoming/report $WORK/none"
absent 'nor removes it' anna 'rm incoming/report'
absent 'nor renames it' anna 'rename incoming/report incoming/mine'
absent 'nor touches it' anna 'chmod 600 incoming/report'
refuses 'the name is taken all the same' sftp_as anna <<<"put $WORK/in2 incoming/report"
is '... and she is told so' "$(why anna)" 'name is taken'
refuses 'for a folder, too' sftp_as anna <<<'mkdir incoming/report'
is '... and she is told so again' "$(why anna)" 'name is taken'
ok 'she has her own names' sftp_as anna <<<"put $WORK/in2 incoming/annas"
refuses 'which she cannot move onto that of alice' sftp_as anna <<<'rename incoming/annas incoming/report'
is 'and sees them alone' "$(names anna incoming)" annas
is 'as alice sees hers' "$(names alice incoming)" report
is 'bob sees both' "$(names bob /acme/incoming)" $'annas\nreport'
is 'and alice has what she sent' "$(content bob /acme/incoming/report)" "$(hash_of "$WORK/in")"
ok 'a folder of alice' sftp_as alice <<-EOF
	mkdir incoming/alices
	put $WORK/in incoming/alices/inner
EOF
absent 'is not for anna to look into' anna 'ls incoming/alices'
absent 'nor to put into' anna 'cd incoming/alices'
refuses 'nor to remove' sftp_as anna <<<'rmdir incoming/alices'
is 'it is still there' "$(names bob /acme/incoming/alices)" inner

# --- another zone ------------------------------------------------------------------------

is 'gus sees his zone only' "$(names gus /)" globex
for there in /acme /acme/incoming; do
	absent "there is no $there" gus "cd $there"
	absent "no list of $there" gus "ls $there"
done
absent 'no file in it' gus "get /acme/incoming/report $WORK/none"
absent 'none to remove' gus 'rm /acme/incoming/report'
absent 'none to rename' gus 'rename /acme/incoming/report /globex/incoming/report'
ok 'he sends in his own' sftp_as gus <<<"put $WORK/in2 incoming/report"
refuses 'and cannot move it over' sftp_as gus <<<'rename incoming/report /acme/incoming/gus'
refuses 'nor send there' sftp_as gus <<<"put $WORK/in2 /acme/incoming/gus"
hint=$OUT
refuses 'which looks the same where there is no zone at all' sftp_as gus <<<"put $WORK/in2 /none/incoming/gus"
is '... to the letter' "${OUT//none/acme}" "$hint"
absent 'bob has nothing to do with globex' bob 'ls /globex'
like 'and all that left acme as it was' "$(names bob /acme/incoming | tr '\n' ' ')" '^alices annas report $'

# --- an auditor --------------------------------------------------------------------------

refuses 'an auditor sees no files' sftp_as aud <<<"get /acme/incoming/report $WORK/none"
refuses 'and sends none' sftp_as aud <<<"put $WORK/in /acme/incoming/audit"
is 'not a name of a file' "$(names aud /acme/incoming)" ''

# --- rights in hand ----------------------------------------------------------------------

ok 'a grant below a folder' ctl grant anna acme:incoming/alices lr
is 'shows that folder' "$(names anna incoming)" $'alices\nannas'
is 'and what is in it' "$(names anna incoming/alices)" inner
is 'to get' "$(content anna incoming/alices/inner)" "$(hash_of "$WORK/in")"
denied 'and no more' anna 'rm incoming/alices/inner' "right 'd'"
ok 'the right to delete' ctl grant anna acme:incoming/alices d
ok 'lets her' sftp_as anna <<<'rm incoming/alices/inner'
ok 'a grant is taken back' ctl revoke anna acme:incoming/alices
is 'and the folder is gone again' "$(names anna incoming)" annas
ok 'overwriting is a right of its own' ctl grant bob acme:incoming wo
ok 'with which bob replaces' sftp_as bob <<<"put $WORK/in2 /acme/incoming/report"
is 'what alice sent' "$(content bob /acme/incoming/report)" "$(hash_of "$WORK/in2")"
is 'which is now his, not hers' "$(names alice incoming)" alices
stop_keep

done_testing
