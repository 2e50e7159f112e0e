#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A failing disk under real programs: one call of a gate after the other fails while files are
# sent, and of the keep as it starts. Whoever sends hears of it; what was acknowledged is whole,
# what was not is seen by nobody, and goes when it is sent again. disk_keep does the same to the
# keep's own calls, in greater numbers.
#
# DROPKEEP_SEED=NUMBER repeats the sample; DROPKEEP_LONG=1 takes all calls.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need sftp ssh-keygen jq
# shellcheck source=tests/fault/lab.sh
. "$top_srcdir/tests/fault/lab.sh"
# shellcheck disable=SC2034 # of the keep's library
GATES_MAY_DIE=1

SEED=${DROPKEEP_SEED-$(od -An -N 2 -t u2 /dev/urandom | tr -d ' ')}
RANDOM=$SEED
diag "DROPKEEP_SEED=$SEED"
EVERY=3
[ -z "${DROPKEEP_LONG-}" ] || EVERY=1
CASES=0 SERVED=0

use_lab
new_keep
set_conf daemon gates 1
run_keep
add_zone acme
add_user alice client acme
add_user bob staff acme
random_file "$WORK/small" 70000
random_file "$WORK/large" 200000

put_as() { sftp_as "$1" <<<"put $WORK/$2 incoming/$3" >"$WORK/put.out" 2>&1; }
is_at_bobs() {
	rm -f "$WORK/out"
	sftp_as bob <<<"get /acme/incoming/$2 $WORK/out" >"$WORK/get.out" 2>&1
	cmp -s "$WORK/$1" "$WORK/out"
}
bob_sees() { sftp_as bob <<<'ls -1 /acme/incoming' | grep -q "/$1\$"; }
serves() { sftp_as bob <<<'ls -1 /' >/dev/null 2>&1; }
answers_or_ended() { ctl status || not alive "$KEEP_PID"; }

# A gate that died lets the next one wait the longer the more have died, so the keep is started
# anew after that. So it is when it has ended, which may take a keep some time after its fault.
revive() {
	fault_plan
	case $1 in *crash*) end_pid "$KEEP_PID" 30 ;; esac
	wait_for 20 serves_again
}
serves_again() {
	alive "$KEEP_PID" || { wait "$KEEP_PID" 2>/dev/null; run_keep; }
	serves
}

# one_case FILE RULE WANTED: the file is sent, twice if need be; WANTED is `served` where
# the fault must not be noticed. Fails where something does not hold; 2: there was no such call.
one_case() {
	local status=0
	fault_plan "$2"
	put_as alice "$1" new || status=$?
	if [ "$(faults_fired)" -eq 0 ]; then
		diag "$2 did nothing"
		fault_plan
		sftp_as alice <<<'rm incoming/new' >/dev/null 2>&1
		return 2
	fi
	CASES=$((CASES + 1))
	revive "$2" || { diag "$2: nobody serves"; return 1; }
	case $status in
	0)
		SERVED=$((SERVED + 1))
		is_at_bobs "$1" new || { diag "$2: acknowledged, and not whole"; return 1; } ;;
	1 | 141 | 255) # 141: SIGPIPE, where the connection is gone
		[ "$3" != served ] || { diag "$2: refused"; diag_file "$WORK/put.out"; return 1; }
		bob_sees new && { diag "$2: refused, and there"; return 1; } ;;
	*)
		diag "$2: the client is left waiting ($status)"
		return 1 ;;
	esac
	put_as alice "$1" new || { diag "$2: cannot be sent again"; diag_file "$WORK/put.out"; return 1; }
	is_at_bobs "$1" new || { diag "$2: sent again, and not whole"; return 1; }
	sftp_as alice <<<'rm incoming/new' >/dev/null 2>&1 || { diag "$2: cannot be removed"; return 1; }
}

# each_call FILE PROGRAM-CLASS-PATH ACTION WANTED: at each (or each third) of the calls.
each_call() {
	local n calls bad=0 tried=0
	fault_plan "$2 0 EIO"
	put_as alice "$1" new
	calls=$(calls_counted)
	fault_plan
	sftp_as alice <<<'rm incoming/new' >/dev/null 2>&1
	for ((n = 1 + RANDOM % (calls < EVERY ? calls : EVERY); n <= calls; n += EVERY)); do
		one_case "$1" "$2 $n $3" "$4"
		case $? in
		0) ;;
		# There are more when it takes longer than two seconds; the first there is always.
		2) one_case "$1" "$2 1 $3" "$4" || bad=$((bad + 1)) ;;
		*) bad=$((bad + 1)) ;;
		esac
		tried=$((tried + 1))
	done
	is "$1: $2, $3, at $tried of $calls calls" "$bad" 0
}

# --- the gate's disk ---------------------------------------------------------------------

for file in small large; do
	for action in 'short once' 'EINTR once'; do
		each_call $file 'gate write blobs/*' "$action" served
	done
	for action in 'ENOSPC once' ENOSPC 'EIO once' full 'crash once' 'crash-torn once'; do
		each_call $file 'gate write blobs/*' "$action" refused
	done
	for action in 'EIO once' 'ENOSPC once' 'crash once' 'crash-after once'; do
		each_call $file 'gate sync blobs/*' "$action" refused
	done
done

# --- a sync that failed once -------------------------------------------------------------

# Later ones succeed, and mean nothing: what the first one lost, nobody has any more.
random_file "$WORK/huge" 140M
# shellcheck disable=SC2034 # of the clients' library
CLIENT_SECONDS=200
fault_plan 'gate sync blobs/* 1 EIO once'
refuses 'an upload of which a sync failed half-way is refused' put_as alice huge huge
is 'by that fault' "$(faults_fired)" 1
fault_plan
bob_sees huge
is 'it is not published' "$?" 1
is 'nothing of it can be gone on with' "$(sftp_as alice <<<'ls -1 incoming' | tail -n +2)" ''
is 'as is recorded' "$(ctl --json audit query --event upload.abort --limit 1 | jq -r .outcome)" failed
rm -f "$WORK/huge"

# --- the keep's disk, as it starts -------------------------------------------------------

ok 'a file is there' put_as alice large kept
stop_keep
fault_plan 'keep any * 0 EIO'
run_keep
calls=$(calls_counted)
fault_plan
stop_keep
bad=0 tried=0 step=$(((calls + 7) / 8))
[ -z "${DROPKEEP_LONG-}" ] || step=7
for ((n = 1 + RANDOM % step; n <= calls; n += step)); do
	tried=$((tried + 1))
	case $((n % 3)) in
	0) fault_plan "keep any * $n EIO once" ;;
	1) fault_plan "keep any * $n ENOSPC" ;;
	2) fault_plan "keep any * $n crash once" ;;
	esac
	"$DROPKEEPD" -c "$CONF" >>"$LOG" 2>&1 </dev/null &
	KEEP_PID=$!
	# One that serves may have to refuse this command, too.
	wait_for 5 answers_or_ended
	revive '' && is_at_bobs large kept || { bad=$((bad + 1)) && diag "the keep's call $n at its start"; }
	end_pid "$KEEP_PID" 30 || bad=$((bad + 1))
	wait "$KEEP_PID" 2>/dev/null
	KEEP_PID=
done
is "calls of a keep that starts, $tried of $calls" "$bad" 0

# --- what stands of all this -------------------------------------------------------------

run_keep
is_at_bobs large kept
is 'what was acknowledged is there' "$?" 0
ok 'the log verifies' ctl audit verify
ok 'nothing is wrong with what is stored' ctl check --deep
stop_keep
never_twice 'no counter was used for a second plaintext'
diag "$CASES calls of a gate failed, in $SERVED of them nobody noticed; $tried of a keep that starts"
done_testing
