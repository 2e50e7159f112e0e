#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The age code and stock `age` read what the other wrote, at the sizes where anything may
# change; and agecat's exit statuses, which other conversations rely on.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need age age-keygen

AGECAT=$top_builddir/tests/tools/agecat
AGESEAL=$top_builddir/tests/tools/ageseal

age-keygen -o "$WORK/id.txt" 2>"$WORK/keygen.out" || bail_out 'age-keygen failed'
age-keygen -o "$WORK/other.txt" 2>>"$WORK/keygen.out" || bail_out 'age-keygen failed'
RECIPIENT=$(age-keygen -y "$WORK/id.txt")
OTHER=$(age-keygen -y "$WORK/other.txt")

opens() { "$AGECAT" -i "$WORK/id.txt" <"$1" >"$2"; }
seals() { "$AGESEAL" -r "$RECIPIENT" <"$1" >"$2"; }

# status_of COMMAND…: its exit status, whatever it says.
status_of() {
	local status=0
	"$@" >"$WORK/status.out" 2>&1 || status=$?
	echo "$status"
}

for size in 0 1 65535 65536 65537 10M; do
	random_file "$WORK/plain" "$size"
	ok "age seals $size bytes" age -r "$RECIPIENT" -o "$WORK/theirs.age" "$WORK/plain"
	ok "agecat opens what age sealed ($size)" opens "$WORK/theirs.age" "$WORK/out"
	same_file "and it is the same ($size)" "$WORK/out" "$WORK/plain"

	ok "ageseal seals $size bytes" seals "$WORK/plain" "$WORK/ours.age"
	is "as long as age does ($size)" "$(size_of "$WORK/ours.age")" "$(size_of "$WORK/theirs.age")"
	ok "age opens what ageseal sealed ($size)" \
		age -d -i "$WORK/id.txt" -o "$WORK/out" "$WORK/ours.age"
	same_file "and it is the same ($size)" "$WORK/out" "$WORK/plain"
done

# Several recipients, and identities that do not fit before one that does.
random_file "$WORK/plain" 1000
cat "$WORK/other.txt" "$WORK/id.txt" >"$WORK/both.txt"
age -r "$OTHER" -r "$RECIPIENT" -o "$WORK/two.age" "$WORK/plain"
ok 'agecat opens a file of two recipients' opens "$WORK/two.age" "$WORK/out"
same_file 'and it is the same' "$WORK/out" "$WORK/plain"
"$AGESEAL" -r "$OTHER" -r "$RECIPIENT" <"$WORK/plain" >"$WORK/two.age"
for who in id other both; do
	ok "age opens our file of two recipients ($who)" \
		age -d -i "$WORK/$who.txt" -o "$WORK/out" "$WORK/two.age"
	same_file "and it is the same ($who)" "$WORK/out" "$WORK/plain"
done
age -r "$RECIPIENT" -o "$WORK/theirs.age" "$WORK/plain"
is 'agecat tries each identity of a file' \
	"$(status_of "$AGECAT" -i "$WORK/both.txt" <"$WORK/theirs.age")" 0

# What agecat refuses, and how it says so.
is 'nobody else can: 77' "$(status_of "$AGECAT" -i "$WORK/other.txt" <"$WORK/theirs.age")" 77
is 'no arguments: 64' "$(status_of "$AGECAT" <"$WORK/theirs.age")" 64
is 'no identity file: 66' "$(status_of "$AGECAT" -i "$WORK/none.txt" <"$WORK/theirs.age")" 66
is 'no age file: 65' "$(status_of opens "$WORK/plain" /dev/null)" 65
is 'nothing at all: 65' "$(status_of opens /dev/null /dev/null)" 65
head -c -1 "$WORK/theirs.age" >"$WORK/short.age"
is 'cut short: 65' "$(status_of opens "$WORK/short.age" /dev/null)" 65
cat "$WORK/theirs.age" "$WORK/plain" >"$WORK/long.age"
is 'bytes behind the end: 65' "$(status_of opens "$WORK/long.age" /dev/null)" 65
age -a -r "$RECIPIENT" -o "$WORK/armor.age" "$WORK/plain"
is 'ASCII armor: 65' "$(status_of opens "$WORK/armor.age" "$WORK/out")" 65
is 'and nothing comes out' "$(size_of "$WORK/out")" 0
is 'no recipient: 64' "$(status_of "$AGESEAL" <"$WORK/plain")" 64
is 'a recipient that is none: 65' "$(status_of "$AGESEAL" -r "${RECIPIENT}x" <"$WORK/plain")" 65

done_testing
