#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# HTTP byte by byte, as honest clients never say it: requests that can be read in two ways, bounds,
# slowness, TLS that is not good enough. A real gate, and a keep that says yes (fakekeep): what is
# tried here is the gate's alone.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need ssh-keygen openssl

fakekeep=$top_builddir/tests/tools/fakekeep
certificate() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj "/CN=$1" -keyout "$WORK/$1.key" -out "$WORK/$1.crt" 2>/dev/null
	cat "$WORK/$1.crt" "$WORK/$1.key" >"$WORK/$1.pem"
}
begin_gate() { # NAME OPTION…
	local name=$1
	shift
	"$fakekeep" "$@" -s "$WORK/localhost.pem" "$top_builddir/dropkeep-gate" "$WORK/host" \
		>"$WORK/$name.ports" 2>"$WORK/$name.log" &
	echo $! >"$WORK/$name.pid"
	for _ in {1..100}; do
		[ "$(wc -l <"$WORK/$name.ports")" -ge 2 ] && return
		sleep 0.1
	done
	bail_out "the gate '$name' does not listen: $(tail -n 3 "$WORK/$name.log")"
}
port_of() { sed -n 2p "$WORK/$1.ports"; }
end_gate() { # NAME
	local pid
	pid=$(cat "$WORK/$1.pid")
	kill "$pid"
	ok "the gate '$1' ends in order" wait "$pid"
}

# More than a thousand connections, at both of their ends; the real keep sees to this by itself.
[ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge 4096 ] || ulimit -S -n 4096 ||
	bail_out 'too few descriptors are allowed: 4096 are needed'
ssh-keygen -q -t ed25519 -N '' -f "$WORK/host"
certificate localhost
certificate somebody
begin_gate usual
begin_gate hasty -t 2000

retell /usr/bin/python3 -W ignore "$top_srcdir/tests/talk/https-raw.py" "$(port_of usual)" "$(port_of hasty)" \
	"$WORK/localhost.crt" "$WORK/somebody.pem" "$(pgrep -P "$(cat "$WORK/usual.pid")")"
end_gate usual
end_gate hasty
done_testing
