#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The lab itself: it records every sealing and would notice a second one, and a plan of faults
# does what it says, in keep and gate.
. "${top_srcdir:-.}/tests/talk/lib.sh"
. "$top_srcdir/tests/fault/lab.sh"
need sftp ssh-keygen python3

# --- sealings ----------------------------------------------------------------------------

use_lab
start_keep
add_zone acme
add_user alice client acme
add_user bob staff acme

random_file "$WORK/in" 150000
ok 'a file of three chunks is put' sftp_as alice <<<"put $WORK/in incoming/one"
is 'three sealings are recorded' "$(wc -l <"$LAB/seals")" 3
first=$(head -c 65536 "$WORK/in" | sha256sum | cut -d ' ' -f 1)
like 'with the counter, the flag and the hash of the plaintext' "$(<"$LAB/seals")" " 0 0 $first"
like 'and the last one as the last' "$(<"$LAB/seals")" ' 2 1 [0-9a-f]{64}'
never_twice 'no counter has two plaintexts'

sed -n 1p "$LAB/seals" >>"$LAB/seals"
is 'the same chunk sealed again is no second plaintext' "$(twice_sealed "$LAB/seals")" ''
sed '1!d; s/.\{64\}$/'"$(printf '%064d' 7)/" "$LAB/seals" >"$WORK/doctored"
cat "$LAB/seals" >>"$WORK/doctored"
is 'another plaintext would be noticed' "$(twice_sealed "$WORK/doctored")" \
	"$(cut -d ' ' -f 1,2 "$LAB/seals" | head -n 1)"
sed '1!d; s/ 0 / 1 /' "$LAB/seals" >"$WORK/doctored"
cat "$LAB/seals" >>"$WORK/doctored"
is 'and another flag' "$(twice_sealed "$WORK/doctored" | wc -l)" 1

# --- faults ------------------------------------------------------------------------------

put_one() { sftp_as alice <<<"put $WORK/in incoming/$1"; }

fault_plan 'gate write blobs/* 0 EIO' 'any sync * 0 EIO' 'keep write catalog.db-wal 0 EIO' \
	'keep any tmp/* 0 EIO' 'gate any [^b]* 0 EIO' 'keep create blobs/* 0 EIO'
ok 'a plan that only counts is in nobody'\''s way' put_one two
is 'the gate writes its chunks' "$(calls_counted 1)" 3
syncs=$(calls_counted 2)
like 'syncs of both programs are counted' "$syncs" '^[1-9][0-9]*$'
like "SQLite's writes are counted" "$(calls_counted 3)" '^[1-9][0-9]*$'
is 'nothing happens in a folder that is not there' "$(calls_counted 4)" 0
is 'a gate changes nothing but blobs' "$(calls_counted 5)" 0
is 'one blob is made' "$(calls_counted 6)" 1
is 'and nothing has failed' "$(faults_fired 1)$(faults_fired 2)$(faults_fired 3)" 000

fault_plan 'gate write blobs/* 2 ENOSPC'
refuses 'a gate whose disk is full from the second chunk on refuses' put_one three
fired=$(faults_fired)
like 'it has met the fault' "$fired" '^[1-9]'
is 'the first was not hit' "$(calls_counted)" $((fired + 1))

fault_plan 'gate write blobs/* 2 short once'
ok 'a short write is gone on with' put_one four
is 'in one more write' "$(calls_counted)" 4
is 'once' "$(faults_fired)" 1
fault_plan
ok 'the file is read back' sftp_as bob <<<"get incoming/four $WORK/back"
same_file 'as it was' "$WORK/in" "$WORK/back"

fault_plan 'gate sync blobs/* 1 crash'
GATES_MAY_DIE=1
refuses 'a gate that dies at its sync answers nobody' put_one five
fault_plan
wait_for 20 put_one six || flunk 'another gate serves'
ok 'and another takes its place' put_one seven

fault_plan 'keep sync catalog.db-wal 1 EIO once'
refuses 'a keep that cannot commit ends' put_one eight
is 'by that fault' "$(faults_fired)" 1
wait "$KEEP_PID"
unlike 'and with a status that says so' "$?" '^(0|137|134)$'
fault_plan 'keep write log/* 1 crash-torn'
"$DROPKEEPD" -c "$CONF" >>"$LOG" 2>&1 </dev/null &
KEEP_PID=$!
wait "$KEEP_PID" 2>/dev/null
is 'a keep that is killed at its start is killed' "$?" 137
fault_plan
run_keep
ok 'what was put is there' sftp_as bob <<<"get incoming/seven $WORK/back"
same_file 'whole' "$WORK/in" "$WORK/back"
stop_keep
never_twice 'no counter has two plaintexts after all this'
done_testing
