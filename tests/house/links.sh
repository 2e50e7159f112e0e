#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the programs are linked with, and how: the gate has no SQLite, the keep no libssh and
# no TLS; all are position independent with read-only relocations.
. "${top_srcdir:-.}/tests/house/lib.sh"
need ldd readelf

linked() { ldd "$top_builddir/$1" 2>&1 | awk '{ print $1 }' | tr '\n' ' '; }

for program in dropkeepd dropkeep-gate dropkeepctl dropkeep; do
	[ -x "$top_builddir/$program" ] || { flunk "$program is built"; done_testing; exit; }
	like "$program is linked at all" "$(linked "$program")" 'libcrypto\.so'
	headers=$(readelf -W -h -l -d "$top_builddir/$program")
	like "$program is position independent" "$headers" 'Type: +DYN'
	like "$program has read-only relocations" "$headers" 'GNU_RELRO'
	like "$program binds all symbols at its start" "$headers" 'BIND_NOW|Flags:.* NOW'
	unlike "$program has no executable stack" "$headers" 'GNU_STACK[^'$'\n'']* RWE'
done
like 'the gate has libssh' "$(linked dropkeep-gate)" 'libssh\.so'
unlike 'the gate has no SQLite' "$(linked dropkeep-gate)" 'sqlite'
like 'the keep has SQLite' "$(linked dropkeepd)" 'libsqlite3\.so'
unlike 'the keep has no libssh' "$(linked dropkeepd)" 'libssh\.'
unlike 'the keep has no TLS' "$(linked dropkeepd)" 'libssl\.'
# What libcurl itself is linked with is its own affair (Debian's has libssh2): only what the client
# asks for counts.
needed=$(readelf -W -d "$top_builddir/dropkeep" | grep NEEDED)
like 'the client has libcurl' "$needed" 'libcurl\.so'
unlike 'the client has no libssh' "$needed" 'libssh'
unlike 'the client has no SQLite' "$needed" 'sqlite'
unlike 'the client has no event loop' "$needed" 'libuv'
done_testing
