#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# SIGKILL for gates, the keep, and both, at random moments of many uploads, renames and deletes:
# nothing that was acknowledged is missing, nothing half-done is visible, exactly one record
# stands for each change, the log verifies. And a gate that stands still keeps nobody else waiting.
#
# DROPKEEP_SEED=TEXT repeats what is random of the users' acts and of the killer's choices; how
# they fall together is the scheduler's.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need ssh-keygen
python -c 'import paramiko' 2>/dev/null || skip_all 'python3-paramiko is not installed'
# shellcheck source=tests/fault/lab.sh
. "$top_srcdir/tests/fault/lab.sh"
GATES_MAY_DIE=1

KILLS=20 TIME=150 LONG=()
[ -z "${DROPKEEP_LONG-}" ] || { KILLS=240 TIME=1500 LONG=(--long); }
SEED=${DROPKEEP_SEED-$(od -An -N 4 -t u4 /dev/urandom | tr -d ' ')}
diag "DROPKEEP_SEED=$SEED"

use_lab
new_keep
set_conf daemon gates 3
run_keep
add_zone acme --quota 10G
add_user alice client acme
add_user anna client acme
add_user bob staff acme
add_user vera staff acme
stop_keep 'what is needed is set up'

export ASAN_OPTIONS="${ASAN_OPTIONS-}:log_path=$WORK/san/report"
export UBSAN_OPTIONS="${UBSAN_OPTIONS-}:log_path=$WORK/san/report"
retell timeout -k 10 $((TIME + 600)) /usr/bin/python3 -B -W ignore "$top_srcdir/tests/fault/kills/run.py" \
	--port "$PORT" --work "$WORK" --state "$STATE" --daemon "$DROPKEEPD" --ctl "$DROPKEEPCTL" \
	--conf "$CONF" --log "$LOG" --seed "$SEED" --kills "${DROPKEEP_KILLS-$KILLS}" --seconds "$TIME" \
	"${LONG[@]}"
ok 'no program has stumbled' no_accidents
never_twice 'no counter was used for a second plaintext'
[ "$TAP_FAILED" -eq 0 ] || { diag 'the end of the journal:' && diag_file "$WORK/journal" 60; }

done_testing
