# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What every conversation needs: TAP on standard output, a keep of its own on free loopback
# ports with its own state directory, keys, clients that believe only that keep's host key,
# and an end that stops exactly the processes that the script started.
#
#	. "${top_srcdir:-.}/tests/talk/lib.sh"
#	need lftp
#	start_keep
#	add_zone acme
#	add_user alice client acme
#	random_file "$WORK/in" 1M
#	ok 'alice puts a file' sftp_as alice <<<"put $WORK/in incoming/report"
#	refuses 'she reads no other zone' sftp_as alice <<<'ls /other'
#	stop_keep
#	done_testing
#
# Everything of a script is below $WORK (mktemp), which goes at the end; KEEP_WORK=1 leaves
# it there. Set by new_keep: STATE, CONF, PORT, RECOVERY, LOG; by run_keep: KEEP_PID.

umask 022
unset SSH_AUTH_SOCK SSH_ASKPASS DISPLAY

top_srcdir=${top_srcdir:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
top_builddir=${top_builddir:-$PWD}
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

DROPKEEPD=$top_builddir/dropkeepd
DROPKEEPCTL=$top_builddir/dropkeepctl

# The system's, which has the system's modules, whatever stands first in PATH.
python() { /usr/bin/python3 "$@"; }

# --- verdicts ----------------------------------------------------------------------------

# said_by COMMAND…: its status; what it said is in $OUT. By way of a file: the command runs in
# this shell, and a daemon that it leaves behind keeps nobody waiting for the end of a pipe.
said_by() {
	local status=0
	"$@" >"$WORK/said" 2>&1 || status=$?
	OUT=$(tr -d '\0' <"$WORK/said")
	return $status
}

# ok DESCRIPTION COMMAND…: the command ends with status 0. What it said is in $OUT.
ok() {
	local what=$1 status=0
	shift
	said_by "$@" || status=$?
	[ $status -ne 0 ] || { pass "$what"; return; }
	flunk "$what" "status $status from: $*"$'\n'"$OUT"
}

# refuses DESCRIPTION COMMAND…: the command says no. A death by a signal, a missing program or
# a sanitizer's report (status 99) is no refusal. What it said is in $OUT.
refuses() {
	local what=$1 status=0
	shift
	said_by "$@" || status=$?
	case $status in
	0 | 99 | 12[4-9] | 1[3-9][0-9])
		flunk "$what" "status $status, a refusal was due, from: $*"$'\n'"$OUT" ;;
	*)
		pass "$what" ;;
	esac
}

# retell COMMAND…: what a program tells, a line "ok TEXT" or "not ok TEXT" for each of its tests and
# anything else to explain them, as tests of this script; and one that it came to its end.
retell() {
	local line status=0
	"$@" >"$WORK/story" 2>"$WORK/story.err" || status=$?
	while IFS= read -r line; do
		case $line in
		'ok '*) pass "${line#ok }" ;;
		'not ok '*) flunk "${line#not ok }" ;;
		*) diag "${line#\# }" ;;
		esac
	done <"$WORK/story"
	is 'the story has an end' "$status" 0 || diag_file "$WORK/story.err"
}

# same_file DESCRIPTION ONE OTHER: both are there and have the same SHA-256.
same_file() {
	[ -f "$2" ] || { flunk "$1" "no file $2"; return; }
	[ -f "$3" ] || { flunk "$1" "no file $3"; return; }
	is "$1" "$(hash_of "$2")" "$(hash_of "$3")"
}

# --- files -------------------------------------------------------------------------------

# Short, since the path of a UNIX socket below it may have 107 bytes only. Others may pass
# through: a gate that gave up root's rights writes its sanitizer's reports into san/.
WORK=$(mktemp -d "${TMPDIR:-/tmp}/dk.XXXXXX") || bail_out 'no temporary directory'
chmod 711 "$WORK"
mkdir -m 1777 "$WORK/san"

random_file() { head -c "$2" /dev/urandom >"$1"; }
# openssl lets the processor help, where it can: several times as fast.
SHA256=(sha256sum)
! command -v openssl >/dev/null || SHA256=(openssl dgst -sha256 -r)
hash_of() { "${SHA256[@]}" <"$1" | cut -d ' ' -f 1; }
size_of() { stat -c %s "$1"; }

# discard PATH…: clients give what they fetch the modes that it had on the server, where folders
# may be read-only.
discard() {
	chmod -R u+w "$@" 2>/dev/null
	rm -rf "$@"
}

# wait_for SECONDS COMMAND…: until the command succeeds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

# --- processes ---------------------------------------------------------------------------

MY_PIDS=()
MY_MOUNTS=()
KEEP_PID=

# own PID: a background job that ends with the script. own_mount DIR: a FUSE mount likewise.
own() { MY_PIDS+=("$1"); }
own_mount() { MY_MOUNTS+=("$1"); }

alive() {
	local state
	state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
	[ -n "$state" ] && [ "$state" != Z ]
}

# end_pid PID SECONDS: SIGTERM, and SIGKILL if that is not enough. True when it was.
end_pid() {
	local end=$((SECONDS + $2))
	kill -TERM "$1" 2>/dev/null
	while alive "$1"; do
		[ $SECONDS -lt $end ] || { kill -KILL "$1" 2>/dev/null; return 1; }
		sleep 0.05
	done
}

cleanup() {
	local status=$? item
	trap - EXIT
	for item in "${MY_MOUNTS[@]}"; do
		fusermount3 -u -q "$item" 2>/dev/null || fusermount3 -u -z -q "$item" 2>/dev/null
	done
	for item in "${MY_PIDS[@]}" $KEEP_PID; do
		end_pid "$item" 10
	done
	free_ports
	if [ "$TAP_FAILED" -ne 0 ] || [ $status -ne 0 ]; then
		[ -z "${LOG-}" ] || { diag "the end of the keep's log:" && diag_file "$LOG"; }
	fi
	if [ -n "${KEEP_WORK-}" ]; then
		diag "left in $WORK"
	else
		discard "$WORK"
	fi
	exit $status
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- the keep ----------------------------------------------------------------------------

ctl() { "$DROPKEEPCTL" -c "$CONF" "$@"; }

# free_port: a loopback port that nobody listens on, below the range for outgoing connections, and
# this script's until it ends: scripts that run side by side see which are spoken for, also while
# nobody listens there (before a keep starts, and while it is dead).
PORTS=${TMPDIR:-/tmp}/dropkeep-ports.$UID
free_port() {
	local port try owner
	[ -d "$PORTS" ] || mkdir -m 700 "$PORTS" 2>/dev/null
	for ((try = 0; try < 200; try++)); do
		port=$((20000 + ($$ * 37 + RANDOM % 37 + try * 331) % 12000))
		owner=$(cat "$PORTS/$port" 2>/dev/null)
		[ -z "$owner" ] || [ ! -d "/proc/$owner" ] || continue
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue
		[ -z "$owner" ] || rm -f "$PORTS/$port"
		(set -C && echo $$ >"$PORTS/$port") 2>/dev/null && echo "$port" && return
	done
	return 1
}
free_ports() { grep -lsx $$ "$PORTS"/* | xargs -r rm -f; }

# new_keep [OPTION OF INIT…]: a state directory and a configuration of its own.
new_keep() {
	STATE=$WORK/state
	CONF=$WORK/dropkeepd.conf
	RECOVERY=$WORK/recovery.txt
	LOG=$WORK/keep.log
	PORT=$(free_port) || bail_out 'no free port'
	local recovery=(--recovery "$RECOVERY") option
	for option in "$@"; do
		[ "$option" != --recovery-recipient ] || recovery=()
	done
	"$DROPKEEPCTL" init --state "$STATE" --config "$CONF" --sftp "127.0.0.1:$PORT" \
		"${recovery[@]}" "$@" >"$WORK/init.out" 2>&1 ||
		{ diag_file "$WORK/init.out"; bail_out 'dropkeepctl init failed'; }
	printf '[127.0.0.1]:%s %s\n' "$PORT" "$(<"$STATE/keys/ssh_host_ed25519_key.pub")" \
		>"$WORK/known_hosts"
}

# set_conf SECTION KEY VALUE: after the section's head, in place of what was set before.
set_conf() {
	sed -i -e "/^\[$1\]/,/^\[/{/^$2[[:space:]]*=/d}" -e "/^\[$1\]/a $2 = $3" "$CONF"
	grep -q "^$2 = $3\$" "$CONF" || bail_out "no section [$1] in $CONF"
}

# run_keep: start it on what new_keep made, and wait until it serves. Its log goes on.
run_keep() {
	# Programs without sanitizers do not look at these.
	ASAN_OPTIONS="${ASAN_OPTIONS-}:log_path=$WORK/san/report" \
		UBSAN_OPTIONS="${UBSAN_OPTIONS-}:log_path=$WORK/san/report" \
		"$DROPKEEPD" -c "$CONF" >>"$LOG" 2>&1 </dev/null &
	KEEP_PID=$!
	ctl status --wait 20 >"$WORK/wait.out" 2>&1 && return
	diag_file "$WORK/wait.out"
	no_accidents
	diag_file "$LOG"
	bail_out 'the keep does not serve'
}

start_keep() {
	new_keep "$@"
	run_keep
}

# Nothing went wrong on the way: no sanitizer has spoken, and no gate has died (the keep starts
# another, so that it would not be noticed) unless a script that kills gates sets GATES_MAY_DIE=1.
no_accidents() {
	local found
	found=$(cat "$WORK"/san/report* 2>/dev/null
		grep -E -A 20 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$LOG"
		[ -n "${GATES_MAY_DIE-}" ] || grep -E 'gate .* has ended' "$LOG")
	[ -z "$found" ] || { diag "$found"; return 1; }
}

# stop_keep: SIGTERM; a test of its own: it drains, ends with status 0, and there was no accident.
stop_keep() {
	local what="${1:-the keep stops cleanly}" status=0 pid=$KEEP_PID why=
	KEEP_PID=
	end_pid "$pid" 30 || why='not within 30 s'
	wait "$pid" || status=$?
	[ $status -eq 0 ] || why="${why:-status $status}"
	no_accidents || why="${why:-an accident on the way}"
	[ -z "$why" ] || { flunk "$what" "$why"; return; }
	pass "$what"
}

# crash_keep: SIGKILL, as power loss would; then the gates are given time to follow it.
crash_keep() {
	local pid=$KEEP_PID gate gates
	gates=$(gate_pids)
	KEEP_PID=
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	for gate in $gates; do
		wait_for 10 not alive "$gate" || flunk "gate $gate follows its keep"
	done
}
not() { ! "$@"; }

gate_pids() {
	local pid pids
	read -r -a pids <"/proc/$KEEP_PID/task/$KEEP_PID/children"
	for pid in "${pids[@]}"; do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != dropkeep-gate ] || echo "$pid"
	done
}

# rss_peak_kib PID: the most memory that it ever had resident.
rss_peak_kib() { sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$1/status"; }

# --- clients -----------------------------------------------------------------------------

# make_key NAME: $WORK/NAME.key and $WORK/NAME.key.pub
make_key() { ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$WORK/$1.key"; }

# in_time COMMAND…: no client waits for ever, whatever goes wrong. The time is such that only a
# hang needs it, also with sanitizers; a script with long transfers sets CLIENT_SECONDS.
in_time() { timeout -k 5 "${CLIENT_SECONDS-60}" "$@"; }

# add_zone NAME [OPTION…]: set-up rather than test.
add_zone() {
	ctl zone add "$@" >"$WORK/add.out" 2>&1 || { diag_file "$WORK/add.out"; bail_out "cannot add zone $1"; }
}

# add_user NAME ROLE ZONE[,ZONE…]: a user with a key of its own, set-up rather than test.
add_user() {
	{
		make_key "$1" &&
			ctl user add "$1" --role "$2" --zone "$3" &&
			ctl key add "$1" "$WORK/$1.key.pub"
	} >"$WORK/add.out" 2>&1 || { diag_file "$WORK/add.out"; bail_out "cannot add user $1"; }
}

# What OpenSSH's programs are told: this key and this host key, and nothing of whoever runs
# the tests. ssh_options USER fills the array SSH_OPTIONS.
ssh_options() {
	SSH_OPTIONS=(-F none -i "$WORK/$1.key"
		-o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes
		-o PreferredAuthentications=publickey -o ConnectTimeout=20
		-o StrictHostKeyChecking=yes -o UserKnownHostsFile="$WORK/known_hosts"
		-o GlobalKnownHostsFile=/dev/null -o UpdateHostKeys=no -o LogLevel=ERROR)
}

# sftp_as USER [OPTION…]: commands come from standard input; the first that fails ends it.
sftp_as() {
	local user=$1
	shift
	ssh_options "$user"
	in_time sftp -q -b - -P "$PORT" "${SSH_OPTIONS[@]}" "$@" "$user@127.0.0.1"
}

# scp_as USER ARGUMENT…: names on the server are written as remote:PATH.
scp_as() {
	local user=$1 arguments=()
	shift
	ssh_options "$user"
	while [ $# -gt 0 ]; do
		arguments+=("${1/#remote:/$user@127.0.0.1:}")
		shift
	done
	in_time scp -q -P "$PORT" "${SSH_OPTIONS[@]}" "${arguments[@]}"
}

# ssh_as USER ARGUMENT…: for what must be refused (a shell, a command, a forwarding).
ssh_as() {
	local user=$1
	shift
	ssh_options "$user"
	in_time ssh -p "$PORT" "${SSH_OPTIONS[@]}" "$user@127.0.0.1" "$@"
}

# sshfs_as USER DIRECTORY [OPTION…]: mounts the user's view; unmounted at the end.
sshfs_as() {
	local user=$1 where=$2
	shift 2
	ssh_options "$user"
	own_mount "$where"
	# sshfs hands only some options on to ssh, a command it takes whole.
	sshfs "$user@127.0.0.1:" "$where" -p "$PORT" -o "ssh_command=ssh ${SSH_OPTIONS[*]}" "$@"
}

# can_mount: whether FUSE is to be had here.
can_mount() {
	command -v sshfs >/dev/null && command -v fusermount3 >/dev/null && [ -w /dev/fuse ]
}
