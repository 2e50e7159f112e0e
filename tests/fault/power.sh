#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Power loss. Clients send, change and remove files, side by side, while the daemon is stopped
# and killed; the lab writes down each change of the state directory. Then, for many points of
# that trace, a directory is made as power loss at this point could have left it (power_model.py:
# what was synced is sure, all else may be gone, there, or torn), a keep recovers from it, and
# every promise is checked: all that was acknowledged is there, nothing half-done, nothing that
# was removed; one record for each change; the log verifies and has not gone back.
. "${top_srcdir:-.}/tests/talk/lib.sh"
. "$top_srcdir/tests/fault/lab.sh"
need sftp ssh-keygen python3
python -c 'import paramiko' 2>/dev/null || skip_all 'python3-paramiko is not installed'
export top_builddir PYTHONDONTWRITEBYTECODE=1

SEED=${DROPKEEP_SEED-$RANDOM}
if [ -n "${DROPKEEP_LONG-}" ]; then
	ACTS=60 CUTS=4000 SECONDS_MAX=${DROPKEEP_SECONDS-3000} AGAIN=50
else
	ACTS=14 CUTS=400 SECONDS_MAX=25 AGAIN=3
fi
export ASAN_OPTIONS="${ASAN_OPTIONS-}:log_path=$WORK/san/report"
export UBSAN_OPTIONS="${UBSAN_OPTIONS-}:log_path=$WORK/san/report"

use_lab
new_keep
set_conf daemon gates 2
run_keep
add_zone acme
add_user alice client acme
add_user bob staff acme
stop_keep

# told DESCRIPTION COMMAND…: what it prints behind a # goes along.
told() {
	local what=$1 status=0
	shift
	"$@" >"$WORK/told" 2>"$WORK/told.err" || status=$?
	[ $status -eq 0 ] || { flunk "$what" "status $status"; diag_file "$WORK/told.err" 40; }
	grep '^# ' "$WORK/told"
	grep '^not ok' "$WORK/told" | sed 's/^/# /'
	[ $status -ne 0 ] || pass "$what"
}
drive() { /usr/bin/python3 -W ignore "$top_srcdir/tests/fault/power_drive.py" "$WORK" "$PORT" "$SEED" "$ACTS"; }
again() { /usr/bin/python3 -W ignore "$top_srcdir/tests/fault/power_again.py" "$WORK" "$PORT" "$SEED" "$AGAIN"; }
replay() { /usr/bin/python3 -W ignore "$top_srcdir/tests/fault/power_replay.py" "$WORK" "$SEED" "$@"; }

GATES_MAY_DIE=1
told 'clients are served, whatever becomes of keep and gates' drive
[ -s "$WORK/run" ] || { done_testing; exit; }
never_twice 'no counter has two plaintexts in all this'
told 'every promise holds after power loss at any point' replay "$CUTS" "$SECONDS_MAX"
told 'daemons go on from there, and seal nothing twice' again

# The test of the test: a disk that lies about one kind of sync must be found out.
for path in 'blobs/??' 'blobs/??/*' 'uploads' 'catalog.db-wal' 'log/records-*'; do
	said_by replay 100 60 "$path"
	like "it would be noticed if syncs of $path were left out" "$OUT" ' [1-9][0-9]* bad;'
done
ok 'no sanitizer has spoken' no_accidents
done_testing
