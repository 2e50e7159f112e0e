#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make install DESTDIR=…` puts everything where it belongs and nothing elsewhere, the unit
# starts what was installed, and `make uninstall` leaves nothing.
. "${top_srcdir:-.}/tests/house/lib.sh"
need make
unset MAKEFLAGS MAKELEVEL MFLAGS

here=$WORK/root
run_make() { make -s -C "$top_builddir" DESTDIR="$here" "$@" 2>&1; }
place() { sed -n "s|^$1 = ||p" "$top_builddir/Makefile" | tail -n 1; }
# A directory of the Makefile with everything filled in.
full() {
	local value
	value=$(place "$1")
	while [[ $value =~ \$[{\(]([a-z_]+)[}\)] ]]; do
		value=${value/"${BASH_REMATCH[0]}"/$(place "${BASH_REMATCH[1]}")}
	done
	echo "$value"
}

run_make install >"$WORK/said" && pass 'it installs' || flunk 'it installs' "$(<"$WORK/said")"
prefix=$(full prefix)
for file in "$(full bindir)/dropkeep" "$(full sbindir)/dropkeepd" "$(full sbindir)/dropkeepctl" "$(full libexecdir)/dropkeep/dropkeep-gate"; do
	[ -x "$here$file" ] && pass "$file" || flunk "$file" 'is not there'
done
for file in man1/dropkeep.1 man8/dropkeepd.8 man8/dropkeepctl.8 man5/dropkeepd.conf.5; do
	[ -f "$here$(full mandir)/$file" ] && pass "$file" || flunk "$file" 'is not there'
done
is 'nothing is outside of the prefix' "$(cd "$here" && find . -type f ! -path ".$prefix/*")" ''
like 'the gate is looked for where it was put' "$(grep -ao "$prefix/[a-z/]*" "$here$(full sbindir)/dropkeepd")" "$(full libexecdir)/dropkeep"

units=$here$(full systemdsystemunitdir)
if [ -n "$(full systemdsystemunitdir)" ] && [ "$(full systemdsystemunitdir)" != no ]; then
	like 'the unit starts the installed keep' "$(cat "$units/dropkeepd.service")" "ExecStart=$(full sbindir)/dropkeepd -c $(full sysconfdir)/dropkeep/dropkeepd.conf"
	if command -v systemd-analyze >/dev/null; then
		mkdir "$WORK/units" && cp "$units"/dropkeepd.* "$WORK/units"
		sed -i "s|^ExecStart=|&$here|" "$WORK/units/dropkeepd.service"
		is 'systemd finds nothing wrong with the units' "$(systemd-analyze verify --man=no "$WORK"/units/* 2>&1 | grep dropkeep)" ''
	else
		skip 'systemd finds nothing wrong with the units' 'systemd-analyze is not installed'
	fi
else
	skip 'the unit starts the installed keep' 'configured without units'
fi

run_make uninstall >"$WORK/said" && pass 'it uninstalls' || flunk 'it uninstalls' "$(<"$WORK/said")"
is 'nothing is left' "$(find "$here" -type f)" ''
done_testing
