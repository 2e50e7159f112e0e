#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Scripts parse, and shellcheck finds nothing in those of the shell.
. "${top_srcdir:-.}/tests/house/lib.sh"

parse() {
	scripts "$1" | while read -r file; do
		case $file in
		*.py) /usr/bin/python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$1/$file" 2>&1 | tail -n 1 ;;
		*) bash -n "$1/$file" 2>&1 ;;
		esac
	done
}
plant a.sh <<<'if true; then'
like 'a script that does not parse is noticed' "$(parse "$WORK/planted")" 'a\.sh'
clean 'every script parses' parse

if command -v shellcheck >/dev/null; then
	# SC2319: `is … $? 0` behind a condition asks for the status of that condition, as is meant.
	lint() { (cd "$1" && scripts . | grep -v '\.py$' | xargs -r shellcheck -x -S warning -e SC2319 -f gcc); }
	plant a.sh <<<'#!/bin/sh
rm $undefined/*'
	like 'a careless script is noticed' "$(lint "$WORK/planted")" 'a\.sh'
	clean 'shellcheck finds nothing' lint
else
	skip 'shellcheck finds nothing' 'shellcheck is not installed'
fi
done_testing
