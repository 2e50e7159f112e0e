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
drop_as() { # USER ARGUMENT…: the client, with a home of its own
	local home=$demo/home-$1
	shift
	mkdir -p "$home"
	env -u DROPKEEP_PROFILE HOME="$home" XDG_CONFIG_HOME="$home/config" XDG_STATE_HOME="$home/state" \
		XDG_DATA_HOME="$home/data" "$build/dropkeep" "$@"
}
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
			--recovery "$demo/recovery.txt" --sftp "127.0.0.1:$(free_port)" \
			--https "127.0.0.1:$(free_port)" --name localhost 2>&1) || die "$ctl_init"
		https=$(sed -n '/^\[https\]/,/^\[/s/^listen *= *127\.0\.0\.1:\([0-9]*\)$/\1/p' "$conf")
		sed -i "/^\[https\]/a public_url = https://127.0.0.1:$https" "$conf"
		done_with "state, keys, an empty catalog and an empty log; the recovery identity is in demo/recovery.txt"
	fi
	port=$(sed -n '/^\[sftp\]/,/^\[/s/^listen *= *127\.0\.0\.1:\([0-9]*\)$/\1/p' "$conf")
	https=$(sed -n '/^\[https\]/,/^\[/s/^listen *= *127\.0\.0\.1:\([0-9]*\)$/\1/p' "$conf")
	[ -n "$https" ] || die "the instance in ./demo is of a version without HTTPS: remove it (rm -r $demo) and run this again"
}

start_daemon() {
	say "Start dropkeepd on 127.0.0.1:$port (SFTP) and 127.0.0.1:$https (HTTPS)"
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

enrol() { # NAME
	[ -e "$demo/home-$1/config/dropkeep/default/profile.json" ] ||
		drop_as "$1" enroll "$(ctl user enroll "$1")" 2>&1 | sed 's/^/   /'
}

# begun FILE: the client says in its events that some of it has been sent.
begun() { grep -q '"bytes_done":[1-9][0-9]\{6\}' "$1" 2>/dev/null; }

push_and_kill() {
	say "acme's machine becomes known by a one-time URL, and so does vera's: dropkeep enroll"
	enrol acme
	enrol vera
	say "acme sends the file with dropkeep push, which is killed half-way"
	drop_as acme --json push --limit 40M "$demo/$name" "acme:incoming/https-$name" >"$demo/push.out" 2>&1 &
	local pusher=$! client tries
	for ((tries = 0; tries < 300; tries++)); do
		! begun "$demo/push.out" || break
		sleep 0.1
	done
	begun "$demo/push.out" || die "dropkeep push does not get on: $(tail -n 1 "$demo/push.out")"
	read -r client _ <"/proc/$pusher/task/$pusher/children" || [ -n "$client" ] || die "dropkeep push has ended by itself"
	kill -KILL "$client"
	wait "$pusher" 2>/dev/null && die "dropkeep push was done before it could be killed"
	done_with "killed: $(drop_as acme ls -lh acme:incoming/ | grep -F "https-$name" || echo nothing)"
	drop_as acme push "$demo/$name" acme:incoming/"https-$name" >"$demo/push.out" 2>&1 || die "$(cat "$demo/push.out")"
	grep -q resumed "$demo/push.out" || die "it began anew: $(cat "$demo/push.out")"
	sed 's/^/   /' "$demo/push.out"
	done_with "the same command went on where it was; its receipt:"
	drop_as acme receipt list | tail -n 1 | sed 's/^/   /'
	drop_as acme receipt verify --offline "$(drop_as acme receipt list | tail -n 1 | cut -d ' ' -f 1)" | sed 's/^/   /'
	say "vera fetches it with dropkeep pull"
	drop_as vera pull "acme:incoming/https-$name" -o "$demo/pulled.bin" 2>&1 | sed 's/^/   /'
	[ "$(hash_of "$demo/pulled.bin")" = "$sent" ] || die "the hashes differ"
	done_with "the hashes agree"
}

send_with_curl() {
	say "acme sends a file with plain curl and a token"
	(umask 077 && printf 'Authorization: Bearer %s\n' "$(ctl token add acme --expires 1d)" >"$demo/token.header")
	curl -sS --fail --cacert "$demo/state/keys/tls/cert.pem" -H "@$demo/token.header" -D "$demo/curl.headers" \
		-T "$demo/$name" "https://127.0.0.1:$https/files/acme/incoming/curl-$name" || die "curl could not send it"
	grep -qi "^etag: \"$sent\"" "$demo/curl.headers" || die "the server has another hash"
	done_with "$(grep '^HTTP' "$demo/curl.headers" | tail -n 1 | tr -d '\r'), $(grep -i '^link' "$demo/curl.headers" | tr -d '\r')"
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
   XDG_CONFIG_HOME=$demo/home-acme/config $build/dropkeep push FILE
   XDG_CONFIG_HOME=$demo/home-vera/config $build/dropkeep ls -l acme:incoming
   $build/dropkeepctl -c $conf status
   To be rid of it: rm -r $demo
TXT
}

make_instance
start_daemon
make_accounts
upload
download
push_and_kill
send_with_curl
stay_out
look_at_disk
decrypt_blob
prove_log
rm -f "$demo/$name" "$demo/fetched.bin" "$demo/refusal.txt" "$demo/stolen.bin" \
	"$demo/pulled.bin" "$demo/push.out" "$demo/curl.headers" "$demo/token.header"
how_to_go_on
