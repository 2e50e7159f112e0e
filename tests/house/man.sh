#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The manual pages are there and render without a warning.
. "${top_srcdir:-.}/tests/house/lib.sh"

for page in dropkeep.1 dropkeepd.8 dropkeepctl.8 dropkeepd.conf.5; do
	[ -s "$top_srcdir/doc/$page" ] && pass "$page is there" || flunk "$page is there"
done
if command -v mandoc >/dev/null; then
	lint() { files "$1/doc" '*.[1-8]' | while read -r page; do mandoc -T lint -W warning "$1/doc/$page"; done; }
	printf '.\\" no title\n.Sh NAME\n' | plant doc/bad.8
	like 'a bad page is noticed' "$(lint "$WORK/planted")" 'WARNING|ERROR'
	clean 'every page renders without a warning' lint
else
	skip 'every page renders without a warning' 'mandoc is not installed'
fi
done_testing
