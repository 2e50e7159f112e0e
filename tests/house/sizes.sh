#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No file over 900 lines, no function over 60, but for the rows of size-exceptions, which are
# exact, so that what shrinks cannot grow again.
. "${top_srcdir:-.}/tests/house/lib.sh"
need ctags
ctags --version | grep -q Universal || skip_all 'ctags is not Universal Ctags, which knows where a function ends'

# Rows as in size-exceptions: LINES PATH [FUNCTION]
large() {
	(
		cd "$1" || exit
		c_files . | while read -r file; do
			wc -l "$file" | awk '$1 > 900 { print $1, $2 }'
		done
		c_files . | grep '\.c$' | ctags -L - -x --c-kinds=f --_xformat='%{end} %n %F %N' |
			awk '$1 - $2 > 60 { print $1 - $2, $3, $4 }'
	) | sort
}
against_list() {
	diff <(grep -v '^#' "$1/tests/house/size-exceptions" | sort) <(large "$1") |
		sed -n 's/^< \(.*\)/\1: listed in size-exceptions, but not so any more/p; s/^> \(.*\)/\1: too long/p'
}

lines() { for ((i = 0; i < $1; i++)); do echo "${2-}"; done; }
{ echo 'int f(void)'; echo '{'; lines 60 '	g();'; echo '}'; } | plant lib/base/f.c
{ echo 'int f(void)'; echo '{'; lines 58 '	g();'; echo '}'; } | plant lib/base/fits.c
lines 901 | plant lib/base/long.h
lines 900 | plant lib/base/fits.h
plant tests/house/size-exceptions <<<'70 lib/base/gone.c g'
caught 'a long function, a long file and a stale row are found' against_list 3
clean 'files and functions have a size that can be read' against_list
done_testing
