# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # what lib.sh sets, and what scripts ask for
#
# For conversations of the client: a home of its own for each user, and the server that goes
# wrong on command (fake-https.py). After lib.sh.

DROPKEEP=$top_builddir/dropkeep

# drop_as USER ARGUMENT…: the client with USER's profiles, journal and receipts, and nothing of
# whoever runs the tests.
drop_as() {
	client_env "$1"
	shift
	in_time "${CLIENT_ENV[@]}" "$DROPKEEP" "$@"
}
drop() { drop_as anna "$@"; }

client_env() {
	local home=$WORK/home-$1
	mkdir -p "$home"
	CLIENT_ENV=(env -u DROPKEEP_PROFILE -u http_proxy -u https_proxy -u all_proxy -u HTTPS_PROXY -u ALL_PROXY
		HOME="$home" XDG_CONFIG_HOME="$home/config" XDG_STATE_HOME="$home/state" XDG_DATA_HOME="$home/data")
}

# drop_begin USER ARGUMENT…: the same in the background; $CLIENT_PID is the client itself, what it
# says goes to $WORK/begun.out.
drop_begin() {
	client_env "$1"
	shift
	(exec "${CLIENT_ENV[@]}" "$DROPKEEP" "$@") >"$WORK/begun.out" 2>&1 &
	CLIENT_PID=$!
	own $CLIENT_PID
}

# drop_end: wait for it; its status is in $CLIENT_STATUS. Its number may be another's then.
drop_end() {
	local pid others=()
	CLIENT_STATUS=0
	wait $CLIENT_PID 2>/dev/null || CLIENT_STATUS=$?
	for pid in "${MY_PIDS[@]}"; do
		[ "$pid" = $CLIENT_PID ] || others+=("$pid")
	done
	MY_PIDS=("${others[@]}")
}

# exits DESCRIPTION STATUS COMMAND…: with that status, and not by a sanitizer's report.
exits() {
	local what=$1 wanted=$2 status=0
	shift 2
	said_by "$@" || status=$?
	[ $status -ne "$wanted" ] || { pass "$what"; return; }
	flunk "$what" "status $status, not $wanted, from: $*"$'\n'"$OUT"
}

# start_fake: $FAKE is its folder. fake COMMAND: see fake-https.py; what it answers is in $FAKE_SAID.
start_fake() {
	FAKE=$WORK/fake
	FAKE_PORT=$(free_port) || bail_out 'no free port'
	mkdir "$FAKE" && mkfifo "$WORK/fake.in" "$WORK/fake.out"
	python "$top_srcdir/tests/talk/fake-https.py" "$FAKE" "$FAKE_PORT" <"$WORK/fake.in" >"$WORK/fake.out" 2>"$WORK/fake.err" &
	own $!
	exec 8>"$WORK/fake.in" 9<"$WORK/fake.out"
	read -r -t 20 FAKE_SAID <&9 && [ "$FAKE_SAID" = ready ] || { diag_file "$WORK/fake.err"; bail_out 'the fake server does not start'; }
}
fake() {
	printf '%s\n' "$*" >&8
	read -r -t 20 FAKE_SAID <&9 || bail_out 'the fake server does not answer'
}
sent() { ls "$FAKE/sent" 2>/dev/null | wc -l; } # so many files were published
