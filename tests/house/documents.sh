#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the documents point to is there: pages that they link to, files of the tree that they name.
. "${top_srcdir:-.}/tests/house/lib.sh"

missing() {
	files "$1" '*.md' | while read -r page; do
		grep -oE '\]\([^)#:]+\.md[^)]*\)' "$1/$page" | sed -E 's/^\]\(([^)#]+).*/\1/' | while read -r link; do
			[ -f "$1/$(dirname "$page")/$link" ] || echo "$page: no page $link"
		done
		grep -oE '`(tests|daemon|lib|doc|conf|bench|systemd)/[A-Za-z0-9_./-]+\.(c|h|sh|py|md|conf)`' "$1/$page" |
			tr -d '`' | while read -r file; do
			[ -f "$1/$file" ] || echo "$page: no file $file"
		done
	done
}

printf 'See [a](A.md), [b](B.md#x) and `lib/a.c`, `lib/b.c`.\n' | plant doc/A.md
plant lib/a.c </dev/null
caught 'a link and a name that lead nowhere are found' missing 2
clean 'what the documents point to is there' missing
done_testing
