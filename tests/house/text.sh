#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What every written file owes its reader: a licence line, no loose ends, no place that exists
# on one machine only, no white space that nobody sees.
. "${top_srcdir:-.}/tests/house/lib.sh"

spdx='SPDX-License-Identifier: Apache-2\.0'
licence() {
	c_files "$1" | while read -r file; do
		head -n 1 "$1/$file" | grep -q "^/\\* $spdx \\*/\$" || echo "$file: first line is not the licence line"
	done
	written "$1" | grep -v -e '\.[ch]$' -e '\.md$' | while read -r file; do
		head -n 2 "$1/$file" | grep -Eq "^(#|dnl|\\.\\\\\") $spdx\$" || echo "$file: no licence line"
	done
}

loose_ends() {
	written "$1" | grep -v '^tests/house/text\.sh$' | while read -r file; do
		grep -nHwE 'TODO|FIXME|XXX|HACK|(not |un)implemented' "$1/$file"
	done
}

# The folders of whoever built it, never those of a Debian system.
machine='(^|[^[:alnum:]_.~-])/(work|farm|root|home)/|/tmp/b[-/]'
places() {
	written "$1" | grep -v '^tests/house/text\.sh$' | while read -r file; do
		grep -nHE "$machine" "$1/$file"
	done
}

white_space() {
	written "$1" | while read -r file; do
		grep -nHE '[[:blank:]]$|'$'\r' "$1/$file"
		[ -z "$(tail -c 1 "$1/$file")" ] || echo "$file: no newline at its end"
	done
}

plant lib/a.c <<<'/* a file */'
plant doc/b.8 <<<'.Dd today'
caught 'a missing licence line is found' licence 2
plant lib/a.c <<<'/* SPDX-License-Identifier: Apache-2.0 */'
printf '.\\" SPDX-License-Identifier: Apache-2.0\n' | plant doc/b.8
caught 'a licence line is seen' licence 0
printf '/* TODO: write it */\nmkstemp("XXXXXX");\n' | plant lib/a.c
caught 'a loose end is found' loose_ends 1
printf 'open("/home/me/x");\nopen("src/root/x");\nopen("/root/x");\n' | plant lib/a.c
caught 'places of one machine are found' places 2
printf 'a \nb\r\nc' | plant lib/a.c
caught 'white space at the end is found' white_space 3

clean 'every file has its licence line' licence
clean 'no loose ends' loose_ends
clean 'no places that exist on one machine only' places
clean 'no white space at the end of lines' white_space
is 'LICENSE is the whole Apache License 2.0' "$(grep -c -e 'Version 2.0, January 2004' -e 'END OF TERMS AND CONDITIONS' "$top_srcdir/LICENSE")" 2
done_testing
