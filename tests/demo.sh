#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole story with real programs: a private instance in ./demo, on loopback only.
# Usage: tests/demo.sh BUILD_DIR. Run again, it goes on with the instance that is there.
set -euo pipefail

build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")/.." && pwd)
demo=$here/demo
conf=$demo/dropkeepd.conf
marker="quarterly-figures-$RANDOM$RANDOM"
name="$marker.bin"
keep_pid=

say() { printf '\n== %s\n' "$*"; }
done_with() { printf '   %s\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }
ctl() { "$build/dropkeepctl" -c "$conf" "$@"; }
hash_of() { sha256sum <"$1" | cut -d ' ' -f 1; }

finish() {
	local status=$?
	trap - EXIT
	if [ -n "$keep_pid" ] && kill -0 "$keep_pid" 2>/dev/null; then
		kill "$keep_pid"
		wait "$keep_pid" || status=1
	fi
	[ "$status" = 0 ] || printf 'demo: failed; the daemon said:\n%s\n' "$(tail -n 20 "$demo/dropkeepd.log" 2>/dev/null)" >&2
	exit "$status"
}
trap finish EXIT

free_port() {
	local port
	for port in $(shuf -i 20000-29999 -n 50); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
	done
	die "no free port"
}

make_instance() {
	say "Make a private instance in ./demo"
	if [ -e "$conf" ]; then
		done_with "it is there from an earlier run: going on with it"
	else
		mkdir -p "$demo"
		ctl_init=$("$build/dropkeepctl" init --state "$demo/state" --config "$conf" \
			--recovery "$demo/recovery.txt" --sftp "127.0.0.1:$(free_port)" --name localhost 2>&1) ||
			die "$ctl_init"
		done_with "state, keys, an empty catalog and an empty log; the recovery identity is in demo/recovery.txt"
	fi
	port=$(sed -n 's/^listen *= *127\.0\.0\.1:\([0-9]*\)$/\1/p' "$conf" | head -n 1)
}

start_daemon() {
	say "Start dropkeepd on 127.0.0.1:$port"
	"$build/dropkeepd" -c "$conf" >>"$demo/dropkeepd.log" 2>&1 &
	keep_pid=$!
	ctl status --wait 30 >/dev/null || die "it does not serve"
	printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d ' ' -f 1,2 "$demo/state/keys/ssh_host_ed25519_key.pub")" >"$demo/known_hosts"
	done_with "serving; process $keep_pid, with one gate per processor"
}

add_user() { # NAME ROLE ZONE
	[ -e "$demo/$1.key" ] || ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$demo/$1.key"
	ctl user show "$1" >/dev/null 2>&1 || {
		ctl user add "$1" --role "$2" --zone "$3" >/dev/null
		ctl key add "$1" "$demo/$1.key.pub" >/dev/null
	}
	done_with "$2 $1 may enter $3"
}

make_accounts() {
	say "Two clients with a zone each, and a member of staff"
	local zone
	for zone in acme globex; do
		ctl zone show "$zone" >/dev/null 2>&1 || ctl zone add "$zone" --quota 10G >/dev/null
	done
	add_user acme client acme
	add_user globex client globex
	add_user vera staff acme
}

sftp_as() { # USER, commands on standard input
	sftp -q -b - -P "$port" -i "$demo/$1.key" -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes \
		-o UserKnownHostsFile="$demo/known_hosts" -o GlobalKnownHostsFile=/dev/null "$1@127.0.0.1"
}

upload() {
	say "acme drops a file of 100 MiB with stock sftp"
	{ printf '%s\n' "$marker"; head -c $((100 * 1024 * 1024)) /dev/urandom; } | head -c $((100 * 1024 * 1024)) >"$demo/$name"
	sent=$(hash_of "$demo/$name")
	printf 'put %s /acme/incoming/%s\n' "$demo/$name" "$name" | sftp_as acme >/dev/null
	done_with "$name, sha256 $sent: durable, encrypted and recorded when put came back"
}

download() {
	say "vera lists and fetches it"
	printf 'ls -l /acme/incoming\n' | sftp_as vera | sed -n "/$name/s/^/   /p"
	printf 'get /acme/incoming/%s %s/fetched.bin\n' "$name" "$demo" | sftp_as vera >/dev/null
	[ "$(hash_of "$demo/fetched.bin")" = "$sent" ] || die "the hashes differ"
	done_with "the hashes agree"
}

stay_out() {
	say "globex tries to look into acme's zone"
	if printf 'get /acme/incoming/%s %s/stolen.bin\n' "$name" "$demo" | sftp_as globex >/dev/null 2>"$demo/refusal.txt"; then
		die "globex could read acme's file"
	fi
	[ ! -s "$demo/stolen.bin" ] || die "globex got bytes of acme's file"
	done_with "refused: $(head -n 1 "$demo/refusal.txt")"
}

look_at_disk() {
	say "What a thief of the disk sees"
	local found=0
	grep -rqF -- "$marker" "$demo/state" && found=1
	[ "$found" = 0 ] || die "name or content stands in clear below the state directory"
	find "$demo/state" -name "*$marker*" | grep -q . && die "a file is named after the user's"
	done_with "neither the file's name nor its content stands anywhere below demo/state"
}

decrypt_blob() {
	say "Decrypt the stored blob with stock age and the recovery identity"
	local blob
	while IFS= read -r blob; do
		if [ "$(age -d -i "$demo/recovery.txt" "$blob" | sha256sum | cut -d ' ' -f 1)" = "$sent" ]; then
			done_with "${blob#"$here/"} is the file: same sha256, without dropkeep"
			return
		fi
	done < <(find "$demo/state/blobs" -type f -newer "$demo/$name")
	die "no stored blob decrypts to the file"
}

flip_byte() { # FILE OFFSET
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
	# shellcheck disable=SC2059 # the octal number is the format
	printf "\\$(printf '%03o' $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

prove_log() {
	say "Who did what: dropkeepctl audit query"
	ctl audit query --zone acme --limit 12 | sed 's/^/   /'
	say "The log proves itself: dropkeepctl audit verify"
	ctl audit verify | sed 's/^/   /'
	# The verification just made is itself being recorded: a copy that caught it half-way is no
	# faithful one.
	for _ in 1 2 3 4 5; do
		rm -rf "$demo/log-copy"
		cp -r "$demo/state/log" "$demo/log-copy"
		! ctl audit verify --log "$demo/log-copy" >/dev/null 2>&1 || break
		sleep 1
	done
	ctl audit verify --log "$demo/log-copy" >/dev/null || die "a faithful copy of the log does not verify"
	flip_byte "$demo/log-copy/records-000000.jsonl" 100
	if ctl audit verify --log "$demo/log-copy" >/dev/null 2>"$demo/refusal.txt"; then
		die "a changed log verifies"
	fi
	rm -rf "$demo/log-copy"
	done_with "a copy of it with one changed byte: $(head -n 1 "$demo/refusal.txt")"
}

how_to_go_on() {
	say "Done. To go on with this instance:"
	cat <<TXT
   $build/dropkeepd -c $conf &
   sftp -P $port -i $demo/acme.key -o UserKnownHostsFile=$demo/known_hosts acme@127.0.0.1
   sftp -P $port -i $demo/vera.key -o UserKnownHostsFile=$demo/known_hosts vera@127.0.0.1
   $build/dropkeepctl -c $conf status
   To be rid of it: rm -r $demo
TXT
}

make_instance
start_daemon
make_accounts
upload
download
stay_out
look_at_disk
decrypt_blob
prove_log
rm -f "$demo/$name" "$demo/fetched.bin" "$demo/refusal.txt" "$demo/stolen.bin"
how_to_go_on
