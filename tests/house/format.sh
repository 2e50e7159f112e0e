#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# .clang-format decides the layout; as versions differ in what they make of it, version 14 does.
. "${top_srcdir:-.}/tests/house/lib.sh"

for program in clang-format-14 clang-format; do
	case $("$program" --version 2>/dev/null) in *' 14.'*) break ;; esac
	program=
done
[ -n "$program" ] || skip_all 'clang-format 14 is not installed, other versions judge otherwise'

offences() {
	(cd "$1" && c_files . | xargs -r "$program" --style=file --dry-run 2>&1) | grep 'warning:'
}
cp "$top_srcdir/.clang-format" "$WORK/" && printf 'int  f( void );\n' | plant a.h
like 'a bad layout is noticed' "$(offences "$WORK/planted")" 'a\.h'
clean 'every C file has its layout' offences
done_testing
