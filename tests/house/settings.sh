#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The table of settings, dropkeepd.conf(5) and conf/dropkeepd.conf name the same keys.
# In the manual a section of the file is a subsection (.Ss [daemon]), a key an item (.It Cm jail).
. "${top_srcdir:-.}/tests/house/lib.sh"

in_table() {
	sed -nE 's/^[[:space:]]*\{[[:space:]]*"([a-z]+)",[[:space:]]*"([a-z_]+)",.*/\1.\2/p' "$1/lib/base/settings.c" | sort -u
}
in_manual() {
	awk '/^\.S[sh] / { section = match($0, /\[[a-z]+\]/) ? substr($0, RSTART + 1, RLENGTH - 2) : "" }
		/^\.It (Cm|Ic|Va) / && section { key = $3; gsub(/[^a-z_]/, "", key); print section "." key }' \
		"$1/doc/dropkeepd.conf.5" | sort -u
}
# With its default, commented out or not: `#key = value`.
in_example() {
	awk '/^\[[a-z]+\]/ { section = $0; gsub(/[^a-z]/, "", section) }
		match($0, /^[#;]?[[:space:]]?[a-z_]+[[:space:]]*=/) {
			key = substr($0, 1, RLENGTH); gsub(/[^a-z_]/, "", key); print section "." key }' \
		"$1/conf/dropkeepd.conf" | sort -u
}
differ() {
	diff <(in_table "$1") <(in_manual "$1") | sed -n 's/^< \(.*\)/\1: not in the manual/p; s/^> \(.*\)/\1: in the manual only/p'
	diff <(in_table "$1") <(in_example "$1") | sed -n 's/^< \(.*\)/\1: not in conf/p; s/^> \(.*\)/\1: in conf only/p'
}

printf '\t{"daemon", "jail", 1},\n\t{"sftp", "listen", 2},\n' | plant lib/base/settings.c
printf '.Ss [daemon]\n.It Cm jail Ns = Ns Ar x\n.It Cm extra\n' | plant doc/dropkeepd.conf.5
printf '[daemon]\n# A comment about jail = things.\n#jail = require\n[sftp]\nlisten = 1\n' | plant conf/dropkeepd.conf
caught 'a key without a manual entry and an entry without a key are found' differ 2

for file in lib/base/settings.c doc/dropkeepd.conf.5 conf/dropkeepd.conf; do
	[ -s "$top_srcdir/$file" ] || { flunk "$file is there"; done_testing; exit; }
done
like 'the table is found' "$(in_table "$top_srcdir")" 'sftp\.listen'
clean 'table, manual and example name the same keys' differ
done_testing
