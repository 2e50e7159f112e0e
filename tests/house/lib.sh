# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For the tests of the house: they read the sources, in a checkout as in a distribution.

top_srcdir=${top_srcdir:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
top_builddir=${top_builddir:-$PWD}
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

WORK=$(mktemp -d "${TMPDIR:-/tmp}/dk.XXXXXX") || bail_out 'no temporary directory'
trap 'rm -rf "$WORK"' EXIT

# files ROOT PATTERN…: our own files below ROOT whose names match, sorted, without what a
# build leaves there.
files() {
	local root=$1 pattern names=()
	shift
	for pattern in "$@"; do
		names+=(-o -name "$pattern")
	done
	(cd "$root" && find . -name '?*' -type d \
		\( -name .git -o -name autom4te.cache -o -name build-aux -o -name 'build*' -o -name demo \
		-o -name '_*' -o -name san -o -name .deps -o -name 'dropkeep-[0-9]*' \) -prune \
		-o -type f \( "${names[@]:1}" \) -print) | sed 's|^\./||' | grep -v '^\(config\.h\|aclocal\.m4\)$' | sort
}

c_files() { files "$1" '*.c' '*.h'; }
scripts() { files "$1" '*.sh' '*.py' run; }
written() { # everything that a person wrote
	files "$1" '*.[ch]' '*.sh' '*.py' run '*.mk' '*.am' '*.ac' '*.md' '*.conf' '*.[1-8]' \
		'*.service' '*.socket' '*.sysusers' '*.tmpfiles' size-exceptions
}

# clean DESCRIPTION CHECK: the function CHECK, which prints one line for each offence in the
# tree that it is given, prints nothing for ours.
clean() { is "$1" "$($2 "$top_srcdir")" ''; }

# plant PATH: standard input becomes a file in the tree $WORK/planted, where checks must find
# something. caught DESCRIPTION CHECK COUNT: that many offences, so a blind check is noticed.
plant() {
	mkdir -p "$WORK/planted/$(dirname "$1")"
	cat >"$WORK/planted/$1"
}
caught() { is "$1" "$($2 "$WORK/planted" | grep -c .)" "$3"; }
