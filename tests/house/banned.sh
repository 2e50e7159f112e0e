#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Calls that must not be there: those of banned.h do not compile, the others are not written.
. "${top_srcdir:-.}/tests/house/lib.sh"

read -r -a compiler <<<"${CC:-cc}"
need "${compiler[0]}"
header=$top_srcdir/lib/base/banned.h
compiles() { "${compiler[@]}" -fsyntax-only -include "$header" -x c - 2>/dev/null; }

is 'a harmless call compiles' "$(compiles <<<'char *f(const char *s) { return strdup(s); }' && echo yes)" yes
for name in strcpy strcat sprintf vsprintf strtok atoi atol system popen gets; do
	is "$name does not compile" "$(compiles <<<"void *f(void) { return (void *)$name; }" || echo refused)" refused
done

# PATTERN WHERE WHY: the one place for calls that are refused here for our own reasons.
# libssh's server side of SFTP blocks and has had memory-safety holes; the environment of a
# daemon may come from whoever starts it (what systemd sets may change no decision but where a
# message goes); a number from these says nothing about its errors; localtime() makes records
# depend on a host's zone. Perl's regular expressions.
refused='
\bsftp_(server_|get_client_message|client_message|reply_|handle) lib|daemon|client
\b(secure_)?getenv\s*\((?!"(JOURNAL_STREAM|NOTIFY_SOCKET)"\)) lib|daemon/keep|daemon/gate
\b(atof|sscanf|rand|srand|random|tmpnam|tempnam|mktemp|alloca|localtime|localtime_r)\s*\( lib|daemon|client
'
calls() {
	c_files "$1" | while read -r file; do
		while read -r pattern where; do
			[ -n "$pattern" ] && [[ $file =~ ^($where)/ ]] || continue
			grep -nHP "$pattern" "$1/$file"
		done <<<"$refused"
	done
}
# A target with flags of its own must still have everybody's, or banned.h and the hardening
# do not reach it.
own_flags() {
	local kind
	files "$1" '*.mk' '*.am' | while read -r file; do
		for kind in 'CPPFLAGS|cppflags' 'CFLAGS|cflags' 'LDFLAGS|ldflags'; do
			grep -nHE "^[a-z].*_($kind)[[:space:]]*=" "$1/$file" |
				grep -vE "\\$\((AM|[a-z][a-z0-9_]*)_($kind)\)"
		done
	done
}

printf 'x = getenv ("HOME");\ny = sftp_server_new(s);\nstrtol_like(1);\n' | plant daemon/gate/a.c
caught 'planted calls are found' calls 2
printf 'libx_a_CFLAGS = -O3\nliby_a_CFLAGS = $(AM_CFLAGS) -O3\nlibz_a_CFLAGS = $(liby_a_CFLAGS)\nlibz_a_LDFLAGS = $(X_LDFLAGS)\n' | plant lib/x/local.mk
caught 'planted flags are found' own_flags 2
clean 'no call that is refused here' calls
clean 'every target has the flags of all' own_flags
done_testing
