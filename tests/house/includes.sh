#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who may include whom: base <- wire, age, tlog <- daemon/keep, daemon/gate, daemon/ctl, client.
# Siblings never; keep and gate meet only in lib/wire; tests may include everything.
. "${top_srcdir:-.}/tests/house/lib.sh"

# PART INCLUDABLE…
rules='
base   base
wire   base wire
age    base age
tlog   base tlog
keep   base wire age tlog daemon/keep
gate   base wire age tlog daemon/gate
ctl    base wire age tlog daemon/ctl
client base wire age tlog client
'
# LIBRARY-HEADER-PREFIX PARTS-THAT-MAY…: what else the picture of the processes promises.
libraries='
sqlite3.h       keep
libssh/         gate
openssl/ssl.h   gate client
uv.h            keep gate client
ini.h           base
'

offences() {
	c_files "$1" | grep -E '^(lib|daemon|client)/' | while read -r file; do
		awk -v file="$file" -v rules="$rules" -v libraries="$libraries" '
		function words(text, into,   n, w, i) {
			n = split(text, w, " ")
			for (i = 2; i <= n; i++)
				into[w[1] " " w[i]] = 1
			return w[1]
		}
		BEGIN {
			n = split(rules, row, "\n")
			for (i = 1; i <= n; i++)
				words(row[i], may)
			n = split(libraries, row, "\n")
			for (i = 1; i <= n; i++)
				if ((name = words(row[i], may_use)) != "")
					limited[name] = 1
			n = split(file, dirs, "/")
			part = dirs[1] == "client" ? "client" : dirs[2]
		}
		match($0, /^[ \t]*#[ \t]*include[ \t]*"[^"]*"/) {
			split($0, quoted, "\"")
			from = quoted[2]
			if (from == "config.h")
				next
			if (!sub("/[^/]*$", "", from))
				from = "(no folder)"
			if (!((part " " from) in may))
				print file ":" NR ": " part " may not include \"" quoted[2] "\""
		}
		match($0, /^[ \t]*#[ \t]*include[ \t]*<[^>]*>/) {
			header = $0
			sub(/^[^<]*</, "", header)
			sub(/>.*/, "", header)
			for (name in limited)
				if (index(header, name) == 1 && !((name " " part) in may_use))
					print file ":" NR ": " part " may not include <" header ">"
		}' "$1/$file"
	done
}

plant lib/age/a.c <<'END'
#include "base/err.h"
#include "age/a.h"
#include "tlog/tree.h"
#include "config.h"
END
plant daemon/gate/g.h <<'END'
#include <sqlite3.h>
#include <libssh/libssh.h>
#  include "daemon/keep/catalog.h"
#include "../keep/keys.h"
#include "near.h"
END
plant daemon/keep/k.c <<'END'
#include <libssh/server.h>
#include <sqlite3.h>
#include "wire/verbs.h"
#include "daemon/keep/catalog.h"
END
caught 'six planted offences are found' offences 6
clean 'every include follows the rules' offences
done_testing
