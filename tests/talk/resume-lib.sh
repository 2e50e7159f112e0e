# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the stories of uploads that were cut off share: a keep with a zone acme, in which alice and
# anna send and bob fetches; how an upload is begun and cut off; what must be true of what is left,
# and of what was made of it. All of it with daemons that record what they seal (lab.sh), so that
# each story ends with the proof that no counter was used twice.
#
#	. "${top_srcdir:-.}/tests/talk/resume-lib.sh"
#	need sftp ssh-keygen jq
#	story_begins
#	half "put $WORK/in incoming/file"
#	cut_off
#	unfinished 'client killed' file
#	completes 'client killed' file
#	story_ends
. "${top_srcdir:-.}/tests/talk/lib.sh"
# shellcheck source=tests/fault/lab.sh
. "$top_srcdir/tests/fault/lab.sh"

# story_begins [COMMAND…]: the command instead of new_keep.
story_begins() {
	use_lab
	"${@:-new_keep}"
	set_conf limits drain 1s
	run_keep
	add_zone acme
	add_user alice client acme
	add_user anna client acme
	add_user bob staff acme
	random_file "$WORK/in" 8000000
	head -c 3000001 "$WORK/in" >"$WORK/short"
	WHOLE=$WORK/in
}

story_ends() {
	blobs() { find "$STATE/blobs" "$STATE/uploads" -type f | wc -l; }
	no_blobs() { [ "$(blobs)" -eq 0 ]; }
	wait_for 20 no_blobs
	is 'nothing of all this is left on disk' "$(blobs)" 0
	ok 'the log verifies' ctl audit verify
	ok 'and all is well' ctl check --deep
	stop_keep
	never_twice 'no counter was used for a second plaintext'
	done_testing
}

# --- uploads under way -------------------------------------------------------------------

# begin COMMAND KBIT: alice's sftp with it, at so many kbit/s; its process is $CLIENT. Disowned,
# so that the shell has no comment on its death.
begin() {
	ssh_options alice
	sftp -q -b - -l "$2" -P "$PORT" "${SSH_OPTIONS[@]}" alice@127.0.0.1 <<<"$1" >"$WORK/client.out" 2>&1 &
	adopt $!
}

# adopt PID: a client that was begun in the background.
adopt() {
	CLIENT=$1
	own "$CLIENT"
	disown "$CLIENT"
}

stored() { du -sb "$STATE/blobs" | cut -f 1; }
# mark; more_stored BYTES: so much has come since. What was removed before may leave the disk only now,
# so the least that was seen counts.
mark() { MARK=$(stored); }
more_stored() {
	local now
	now=$(stored)
	[ "$now" -ge "$MARK" ] || MARK=$now
	[ "$now" -ge $((MARK + $1)) ]
}

# half COMMAND [BYTES KBIT]: begin it, and wait until so much (2 MB) of it is stored; its ssh is
# $CLIENT_SSH.
half() {
	mark
	begin "$1" "${3-16000}"
	wait_for 30 more_stored "${2-2000000}" ||
		{ flunk "a good part arrives of: $1" "$(<"$WORK/client.out")"; return 1; }
	CLIENT_SSH=$(<"/proc/$CLIENT/task/$CLIENT/children")
	alive "$CLIENT" || flunk "the client is at work: $1" "$(<"$WORK/client.out")"
}

# gone PID: it has ended, whatever its status.
gone() { wait_for 30 not alive "$1" || flunk 'the client ends' "$(<"$WORK/client.out")"; }

# cut_off: the client is gone, and the server knows of it.
cut_off() {
	# shellcheck disable=SC2086
	kill -KILL "$CLIENT" $CLIENT_SSH
	gone "$CLIENT"
	wait_for 20 no_uploads || flunk 'what a client left is let go'
}

# of_client [NAME]: the processes that $CLIENT has begun, and they in turn (of that name).
of_client() {
	local parents=$CLIENT pid found=
	while [ -n "$parents" ]; do
		# shellcheck disable=SC2086
		parents=$(for pid in $parents; do cat "/proc/$pid/task/$pid/children" 2>/dev/null; done)
		found="$found $parents"
	done
	for pid in $found; do
		[ $# -gt 0 ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "$1" ] || echo "$pid"
	done
}

# kill_gates: those that are in $gates; others serve in their place.
kill_gates() {
	local gate
	gates=$(gate_pids)
	for gate in $gates; do
		kill -KILL "$gate"
	done
	wait_for 20 ctl status
}
crashes() { crash_keep; run_keep; }

no_uploads() { ctl --json sessions | jq -es 'map(.puts) | add // 0 | . == 0' >/dev/null; }

# --- a network that fails (relay.py) -----------------------------------------------------

# start_relay: $RELAY is a port that leads to the keep's; PORT=$RELAY sftp_as … goes that way. Where
# there is HTTPS, $RELAY_HTTPS leads to that.
start_relay() {
	local ways
	RELAY=$(free_port)
	ways=("$RELAY" "$PORT")
	if [ -n "${HTTPS-}" ]; then
		RELAY_HTTPS=$(free_port)
		ways+=("$RELAY_HTTPS" "$HTTPS")
	fi
	mkfifo "$WORK/relay.in"
	python "$top_srcdir/tests/talk/relay.py" "${ways[@]}" <"$WORK/relay.in" >"$WORK/relay.out" 2>&1 &
	own $!
	exec {RELAY_IN}>"$WORK/relay.in"
	wait_for 10 grep -q ready "$WORK/relay.out" || bail_out 'the relay does not serve'
	printf '[127.0.0.1]:%s %s\n' "$RELAY" "$(<"$STATE/keys/ssh_host_ed25519_key.pub")" >>"$WORK/known_hosts"
}

relay_said() { [ "$(wc -l <"$WORK/relay.out")" -ge "$1" ]; }

# relay COMMAND…, and wait until it is done (or armed, with after).
relay() {
	local lines
	lines=$(wc -l <"$WORK/relay.out")
	echo "$*" >&"$RELAY_IN"
	wait_for 10 relay_said $((lines + 1)) || flunk "the relay obeys: $*" "$(<"$WORK/relay.out")"
	RELAY_LINES=$((lines + 1))
}

# relay_acts: what was armed with after has happened.
relay_acts() { wait_for 30 relay_said $((RELAY_LINES + 1)) || flunk 'the network fails as it should' "$(<"$WORK/relay.out")"; }

# --- what is left, and what becomes of it ------------------------------------------------

size_for() { sftp_as "$1" <<<"ls -ln $2" 2>/dev/null | awk 'END { print $5 }'; }
names_for() { sftp_as "$1" <<<"ls -1 $2" 2>/dev/null | tail -n +2 | sed 's|.*/||'; }
seen_by_bob() { [ -n "$(size_for bob "/acme/incoming/$1")" ]; }

# unfinished WHAT NAME: it is there for alice, in part, and for nobody else.
unfinished() {
	local size
	size=$(size_for alice "incoming/$2")
	[ "${size:-0}" -gt 0 ] && [ "$size" -lt "$(size_of "$WHOLE")" ]
	is "$1: alice sees a part of it" "$?" 0
	refuses "$1: bob does not get it" sftp_as bob <<<"ls -1 /acme/incoming"$'\n'"get /acme/incoming/$2 $WORK/none"
	unlike "$1: nor see it" "$OUT" $'\n/acme/incoming/'
	refuses "$1: nor does anna get the name" sftp_as anna <<<"put $WORK/short incoming/$2"
	like "$1: which is taken, she is told" "$OUT" 'name is taken|Failure'
}

# whole WHAT NAME: it is finished, and every byte of it is right. Removed again, for the next one.
whole() {
	rm -f "$WORK/out"
	ok "$1: bob gets it" sftp_as bob <<<"get /acme/incoming/$2 $WORK/out"
	same_file "$1: and it is whole" "$WORK/out" "$WHOLE"
	is "$1: the log has what it is" \
		"$(ctl --json audit query --user alice --event upload.complete --limit 1 | jq -c '[.path, .size, .sha256]')" \
		"[\"/acme/incoming/$2\",$(size_of "$WHOLE"),\"$(hash_of "$WHOLE")\"]"
	ok "$1: it is removed" sftp_as alice <<<"rm incoming/$2"$'\n'"ls -1 incoming"
	unlike "$1: and nothing of it is left" "$OUT" $'\nincoming/'
}

# completes WHAT NAME: reput, and it is whole.
completes() {
	ok "$1: alice goes on with it" sftp_as alice <<<"reput $WHOLE incoming/$2"
	whole "$1" "$2"
}

# --- the log -----------------------------------------------------------------------------

# history PATH: what happened to the file that had this path last, event by event.
history() {
	local object
	object=$(ctl --json audit query | jq -r "select(.path == \"$1\") | .object" | tail -n 1)
	ctl --json audit query --object "$object" | jq -r .event | tr '\n' ' '
}
