#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Everything on a fresh Debian 12 or 13, as root or with sudo, from any folder:
#
#	./bootstrap.sh build	install what a build needs, configure, compile
#	./bootstrap.sh demo	the same, then the whole story with a private instance in ./demo
#	./bootstrap.sh test	the same, then all tests; ends with a line "N passed, N failed"
#
#	--san	with AddressSanitizer and UndefinedBehaviorSanitizer, in ./build-san
#	--big	tests that need much disk and time as well
#
# Running it again does only what is left to do: nothing is installed, and no password asked
# for, when nothing is missing. Packages that would start a service are not among them.

set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '==> %s\n' "$*" >&2; }
die() { printf 'bootstrap.sh: %s\n' "$*" >&2; exit 1; }
usage() {
	sed -n 's/^#\t\(.*\)/\1/p' "${BASH_SOURCE[0]}"
	exit "$1"
}

# --- packages ----------------------------------------------------------------------------

build_packages=(build-essential autoconf automake pkgconf
	libssh-dev libssl-dev libuv1-dev libinih-dev libsqlite3-dev libjansson-dev libcurl4-openssl-dev
	libsystemd-dev libcmocka-dev)
demo_packages=(age curl openssh-client openssh-sftp-server jq sqlite3 procps)
test_packages=("${demo_packages[@]}" openssl sshfs fuse3 lftp python3-paramiko putty-tools rclone rsync
	systemd universal-ctags mandoc shellcheck) # systemd: for its tools; nothing of it is started
san_packages=(clang)

# What is named after a version, or is in one release only.
release_packages() {
	local VERSION_ID=
	# shellcheck source=/dev/null
	. /etc/os-release
	case $VERSION_ID in
	12*) # .clang-format is written for this version; others judge otherwise (see tests/house/format.sh)
		test_packages+=(clang-format-14)
		build_packages+=(node-llhttp)
		san_packages+=(libclang-rt-14-dev) ;;
	13*) build_packages+=(libllhttp-dev)
		san_packages+=(libclang-rt-19-dev) ;;
	*) say "this is not Debian 12 or 13: going on with what is installed" && return 1 ;;
	esac
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		command -v sudo >/dev/null || die "to install packages, run this as root or install sudo"
		sudo "$@"
	fi
}

install_missing() {
	local package missing=()
	for package in "$@"; do
		installed "$package" || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing ${missing[*]}"
	local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
	as_root "${apt[@]}" update >&2 || say "apt-get update failed; trying with the lists that are there"
	as_root "${apt[@]}" install --no-install-recommends --no-remove "${missing[@]}" >&2
}

# tus-js-client, for a test: from npm, which is Debian's unless another is there.
tus_js_version=4.3.1
install_tus_js() {
	[ ! -d "$build/npm/node_modules/tus-js-client" ] || return 0
	say "installing tus-js-client $tus_js_version"
	npm install --silent --no-audit --no-fund --prefix "$build/npm" "tus-js-client@$tus_js_version" >&2 ||
		say "tus-js-client cannot be installed: its test is skipped"
}

# --- build -------------------------------------------------------------------------------

# Whether configure and its helpers are missing, or from another automake than the one here
# (a checkout that moved to the next release of Debian).
needs_autoreconf() {
	local here
	here=$(automake --version | sed -n '1s/.* //p')
	! [ -x "$top/configure" ] || ! [ -f "$top/build-aux/tap-driver.sh" ] ||
		! head -n 1 "$top/Makefile.in" | grep -q "automake $here "
}

# A compiler that can link with sanitizers: clang where it works, it sees more; else gcc.
san_compiler() {
	local try
	try=$(mktemp -d)
	echo 'int main(void) { return 0; }' >"$try/a.c"
	if clang -fsanitize=address,undefined -o "$try/a" "$try/a.c" 2>/dev/null && "$try/a"; then
		echo clang
	else
		echo gcc
	fi
	rm -rf "$try"
}

build() {
	local options=() made_for
	if [ "$san" = yes ]; then
		options=(--enable-sanitizers CC="$(san_compiler)" CFLAGS='-O1 -g')
	fi
	[ ! -e "$build" ] || [ -w "$build" ] || die "$build belongs to another user: remove it, or run as that user"
	if needs_autoreconf; then
		say "making configure"
		(cd "$top" && autoreconf -fi) >&2
	fi
	# A build for another compiler, release or options starts afresh.
	made_for="${options[*]} $("${CC:-cc}" --version | head -n 1) $(sed -n 's/^VERSION_ID=//p' /etc/os-release)"
	if [ "$(cat "$build/made-for" 2>/dev/null)" != "$made_for" ] || [ ! -f "$build/Makefile" ]; then
		say "configuring in $build"
		rm -rf "$build"
		mkdir -p "$build"
		(cd "$build" && "$top/configure" --quiet --enable-werror "${options[@]}") >&2
		printf '%s\n' "$made_for" >"$build/made-for"
	fi
	say "building in $build"
	make -s -C "$build" -j"$(nproc)" >&2
}

# --- test --------------------------------------------------------------------------------

results() { find "$build" -name '*.trs' | sort; }

# How many tests of the last run ended so (an extended regular expression).
count() { results | xargs -r cat | grep -cE "^:test-result: ($1)( |\$)" || true; }

# Their names and what they said of it.
list() { results | sed 's/trs$/log/' | xargs -r cat | grep -E "^($1): " | sed 's/^/  /'; }

run_tests() {
	local status=0 passed failed skipped
	local vectors=$top/../shared/vectors/age/vectors
	[ -n "${AGE_VECTORS-}" ] || [ ! -d "$vectors" ] || export AGE_VECTORS="$vectors"
	install_tus_js
	export TUS_JS="$build/npm"
	[ "$big" = no ] || export DROPKEEP_BIG=1 DROPKEEP_TEST_SECONDS=14400

	make -s -C "$build" -j"$(nproc)" check TESTS= >/dev/null
	results | xargs -r rm
	say "testing in $build"
	# Most tests wait rather than work: one more at a time than there are processors takes about half
	# the time. Each has its own state directory, ports and processes.
	make -C "$build" -j$(($(nproc) + 1)) check || status=$?

	passed=$(count 'PASS|XFAIL')
	failed=$(count 'FAIL|XPASS|ERROR')
	skipped=$(count SKIP)
	echo
	[ "$skipped" -eq 0 ] || printf 'Skipped: %s\n%s\n' "$skipped" "$(list SKIP)"
	[ "$failed" -eq 0 ] || printf 'Failed: %s\n%s\n' "$failed" "$(list 'FAIL|XPASS|ERROR')"
	if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
		echo "make check ended with status $status, though no test failed"
		failed=1
	fi
	if [ $((passed + failed)) -eq 0 ]; then
		echo "no test ran"
		status=1
	fi
	echo "$passed passed, $failed failed"
	[ "$status" -eq 0 ] && [ "$failed" -eq 0 ]
}

# --- what is asked -----------------------------------------------------------------------

action=
san=no
big=no
for argument in "$@"; do
	case $argument in
	build | demo | test) [ -z "$action" ] || usage 64; action=$argument ;;
	--san) san=yes ;;
	--big) big=yes ;;
	-h | --help) usage 0 ;;
	*) usage 64 >&2 ;;
	esac
done
[ -n "$action" ] || usage 64 >&2

build=$top/build
if release_packages; then
	packages=("${build_packages[@]}")
	case $action in
	demo) packages+=("${demo_packages[@]}") ;;
	test)
		packages+=("${test_packages[@]}")
		command -v npm >/dev/null || packages+=(nodejs npm) ;;
	esac
	[ "$san" = no ] || packages+=("${san_packages[@]}")
	install_missing "${packages[@]}"
fi
[ "$san" = no ] || build=$top/build-san
build
case $action in
build) say "built: $build/dropkeepd, $build/dropkeep-gate, $build/dropkeepctl, $build/dropkeep" ;;
demo) exec bash "$top/tests/demo.sh" "$build" ;;
test) run_tests ;;
esac
