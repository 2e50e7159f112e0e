# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# TAP (Test Anything Protocol) for shell scripts: one line for each test on standard output,
# explanations behind a #, the plan at the end by done_testing. Skips say why.

set -u
export LC_ALL=C.UTF-8

TAP_COUNT=0
TAP_FAILED=0

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }
diag_file() { [ ! -s "$1" ] || tail -n "${2:-30}" "$1" | sed 's/^/# /'; }

pass() {
	TAP_COUNT=$((TAP_COUNT + 1))
	printf 'ok %d - %s\n' "$TAP_COUNT" "$1"
}

# flunk DESCRIPTION [EXPLANATION…]; always false, so that `flunk … || return` reads well.
flunk() {
	TAP_COUNT=$((TAP_COUNT + 1))
	TAP_FAILED=$((TAP_FAILED + 1))
	printf 'not ok %d - %s\n' "$TAP_COUNT" "$1"
	shift
	[ $# -eq 0 ] || diag "$@"
	return 1
}

# skip DESCRIPTION REASON: one test that cannot run here.
skip() {
	TAP_COUNT=$((TAP_COUNT + 1))
	printf 'ok %d - %s # SKIP %s\n' "$TAP_COUNT" "$1" "$2"
}

# skip_all REASON: nothing of this script can run here. Only before the first test.
skip_all() {
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}

bail_out() {
	printf 'Bail out! %s\n' "$1"
	exit 1
}

done_testing() {
	printf '1..%d\n' "$TAP_COUNT"
	[ "$TAP_FAILED" -eq 0 ]
}

# need PROGRAM…: skip the whole script aloud where one is missing.
need() {
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null 2>&1 || skip_all "$program is not installed"
	done
}

# is DESCRIPTION GOT WANTED
is() {
	[ "$2" != "$3" ] || { pass "$1"; return; }
	flunk "$1" "     got: $2"$'\n'"expected: $3"
}

# like / unlike DESCRIPTION TEXT EXTENDED-REGEX
like() {
	[[ ! $2 =~ $3 ]] || { pass "$1"; return; }
	flunk "$1" "does not match /$3/:"$'\n'"$2"
}
unlike() {
	[[ $2 =~ $3 ]] || { pass "$1"; return; }
	flunk "$1" "must not match /$3/:"$'\n'"$2"
}
