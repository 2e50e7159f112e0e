# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
#
# The lab: daemons that record what they seal, fail where a plan says so, and write down what
# they change. Sourced after tests/talk/lib.sh.
#
#	. "${top_srcdir:-.}/tests/talk/lib.sh"
#	. "$top_srcdir/tests/fault/lab.sh"
#	use_lab                       # before new_keep, start_keep or run_keep
#	start_keep
#	…
#	stop_keep
#	never_twice 'no counter was used for a second plaintext'
#	done_testing
#
# use_lab copies lab/dropkeepd and lab/dropkeep-gate to $WORK/bin, beside the files that steer
# them (lab.h), and sets DROPKEEPD, so that run_keep starts them.
#
# A plan of faults is up to 32 rules, each an argument of fault_plan; it holds at once, also for
# daemons that run, until the next plan; `fault_plan` alone ends all faults.
#
#	PROGRAM CLASS PATH N ACTION [once]
#
#	PROGRAM  keep, gate or any
#	CLASS    open (of what is there), create (open with O_CREAT), read, write, truncate, sync
#	         (fsync and fdatasync), mkdir, rename, unlink (rmdir too), or any
#	PATH     a glob for the path below the state directory, * standing for slashes too;
#	         the directory itself is `.`:
#	           blobs/??/*   stored contents        blobs/??   their folders (sync, open)
#	           uploads/*    what clean ends left   uploads    their folder
#	           catalog.db   catalog.db-wal         log/*      log
#	N        the Nth of these calls since the plan was made, all processes counted together;
#	         0: never, the rule only counts
#	ACTION   ENOSPC EIO EDQUOT EROFS EMFILE EACCES EINTR ENOENT: fails so, and is not done
#	         short        writes (or reads) only half and says so
#	         full         the Nth write gets half, all later calls ENOSPC
#	         skip         says that it was done, and does nothing: a disk that lies
#	         crash        SIGKILL for the caller before the call; crash-after: after it
#	         crash-torn   SIGKILL after half of the write
#	once     only the Nth; else from the Nth on
#
# Calls on the catalog are SQLite's: it reads and writes its files through the same functions.
# (It maps -shm, so that changes of that one are not seen.)
#
# To fail at each step of something, count the steps first:
#
#	fault_plan 'keep sync * 0 EIO'
#	…                                   # the deed
#	steps=$(calls_counted)
#	for ((n = 1; n <= steps; n++)); do
#		fault_plan "keep sync * $n EIO once"
#		…                           # the deed, and what must hold then
#		fault_plan
#	done

LAB_RULES=32
LAB_PLAN=3576
LAB_GENERATION=0

use_lab() {
	LAB=$WORK/bin
	[ -x "$top_builddir/lab/dropkeepd" ] || bail_out 'lab/dropkeepd is not built'
	mkdir -p "$LAB"
	cp "$top_builddir/lab/dropkeepd" "$top_builddir/lab/dropkeep-gate" "$LAB"
	: >"$LAB/config.status" # the keep takes the gate beside itself
	: >"$LAB/seals"
	: >"$LAB/shared"
	printf '%s\n' "$WORK/state" >"$LAB/state"
	DROPKEEPD=$LAB/dropkeepd
}

# twice_sealed FILE: the keys and counters in a record of sealings that have two plaintexts (or
# one plaintext both as the last chunk and as another).
twice_sealed() { sort -u "$1" | awk '{ print $1, $2 }' | uniq -d; }

# never_twice DESCRIPTION: at least one chunk was sealed, and none in place of another.
never_twice() {
	local sealings twice
	sealings=$(wc -l <"$LAB/seals")
	twice=$(twice_sealed "$LAB/seals")
	[ "$sealings" -gt 0 ] || { flunk "$1" 'nothing was sealed'; return; }
	[ -z "$twice" ] || { flunk "$1" "a second plaintext for:"$'\n'"$twice"; return; }
	pass "$1"
	diag "$sealings sealings recorded"
}

# fault_plan [RULE…]
fault_plan() {
	local zeros=$((LAB_PLAN + LAB_RULES * 16))
	[ $# -le $LAB_RULES ] || bail_out 'too many rules in a plan'
	LAB_GENERATION=$((LAB_GENERATION + 1))
	{
		head -c $((LAB_RULES * 16)) /dev/zero
		[ $# -eq 0 ] || printf '%s\n' "$@"
		head -c "$LAB_PLAN" /dev/zero
	} | head -c "$zeros" >"$WORK/plan"
	dd if="$WORK/plan" of="$LAB/shared" bs="$zeros" conv=notrunc status=none
	# Last, and on its own: it says that the plan is complete.
	printf '%08d' $LAB_GENERATION |
		dd of="$LAB/shared" bs=8 seek=$((zeros / 8)) conv=notrunc status=none
}

lab_number() { od -An -t u8 -j $(($1 * 8)) -N 8 "$LAB/shared" | tr -d ' '; }

# calls_counted [RULE-NUMBER]: the calls that a rule (the first) of the plan was about.
# faults_fired [RULE-NUMBER]: how often it acted.
calls_counted() { lab_number $((${1-1} - 1)); }
faults_fired() { lab_number $((LAB_RULES + ${1-1} - 1)); }
