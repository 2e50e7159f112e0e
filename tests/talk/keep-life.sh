#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The life of a keep: how it starts, and when it does not; what a reload changes; how it goes on
# after a gate or it itself was killed; how it stops. And what service managers see of it.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need sftp ssh-keygen jq
GATES_MAY_DIE=1

# status_of COMMAND…: its exit status; what it said is in $OUT.
status_of() {
	STATUS=0
	said_by "$@" || STATUS=$?
}

# does_not_start DESCRIPTION STATUS REGEX: a dropkeepd on $CONF, and what it says.
does_not_start() {
	status_of in_time "$DROPKEEPD" -c "$CONF"
	is "$1: status $2" "$STATUS" "$2"
	like '... that says why' "$OUT" "$3"
}

# --- no start ----------------------------------------------------------------------------

new_keep
GOOD=$WORK/good.conf
cp "$CONF" "$GOOD"
wrong() {
	cp "$GOOD" "$CONF"
	set_conf "$2" "$3" "$4"
	does_not_start "$1" 78 "dropkeepd\.conf.*line [0-9]+.*$3|dropkeepd\.conf:[0-9]+.*$3"
}
wrong 'an unknown key' daemon colour blue
wrong 'no number' daemon gates many
wrong 'no length of time' limits idle 30
wrong 'no address' sftp listen localhost
wrong 'no word that it knows' daemon writer_check maybe
wrong 'a path that is none' daemon state here
cp "$GOOD" "$CONF"
echo '[garden]' >>"$CONF"
does_not_start 'an unknown section' 78 'garden'
cp "$GOOD" "$CONF"
set_conf daemon state "$WORK/nowhere"
does_not_start 'no state' 78 'dropkeepctl init'
CONF=$WORK/none.conf
does_not_start 'no configuration' 78 'none.conf'
CONF=$WORK/dropkeepd.conf
cp "$GOOD" "$CONF"
status_of in_time "$DROPKEEPD" --nonsense
is 'no such option: status 64' "$STATUS" 64
status_of in_time "$DROPKEEPD" -c "$CONF" --init
is 'init where there is a state: status 73' "$STATUS" 73
status_of ctl status
is 'no service: status 69' "$STATUS" 69
begun=$SECONDS
status_of ctl status --wait 2
is 'nor after some time' "$STATUS" 69
[ $((SECONDS - begun)) -ge 1 ]
is 'for which it has waited' $? 0

# --- start -------------------------------------------------------------------------------

run_keep
add_zone acme
add_user alice client acme
add_user bob staff acme
random_file "$WORK/in" 1M
ok 'it serves' sftp_as alice <<<"put $WORK/in incoming/one"
ok 'and says so' ctl status --wait 1

# second_keep: another keep on the same configuration; it waits for the first one to end.
second_keep() {
	"$DROPKEEPD" -c "$CONF" >"$WORK/second.log" 2>&1 </dev/null &
	SECOND=$!
	own "$SECOND"
	wait_for 10 grep -q 'waiting for another' "$WORK/second.log"
}
ok 'a second keep on the same state waits' second_keep
ok 'which the first does not notice' sftp_as alice <<<'ls incoming'
if [ -n "${DROPKEEP_BIG-}" ]; then
	wait "$SECOND"
	is 'but not for ever: status 75' "$?" 75
	like '... that says why' "$(<"$WORK/second.log")" 'uses this state'
else
	skip 'but not for ever: status 75' 'it takes a minute; DROPKEEP_BIG=1 waits'
	end_pid "$SECOND" 5
fi

STATE1=$STATE CONF1=$CONF LOG1=$LOG PORT1=$PORT
STATE=$WORK/state2
"$DROPKEEPCTL" init --state "$STATE" --config "$WORK/third.conf" --sftp "127.0.0.1:$PORT" \
	--recovery "$WORK/recovery2.txt" >"$WORK/init.out" 2>&1
CONF=$WORK/third.conf
does_not_start 'a port that is taken' 78 "127\.0\.0\.1:$PORT"
STATE=$STATE1 CONF=$CONF1 LOG=$LOG1 PORT=$PORT1

# --- reload ------------------------------------------------------------------------------

set_conf daemon log_level debug
set_conf limits sessions_per_user 1
set_conf daemon gates 3
ok 'a reload' ctl reload
like 'tells what counts now' "$OUT" 'daemon\.log_level'
like 'all of it' "$OUT" 'limits\.sessions_per_user'
like 'and what waits for a restart' "$OUT" 'daemon\.gates'
is 'which it does' "$(gate_pids | wc -l)" "$(ctl --json status | jq '.gates | length')"
ok 'a session' sftp_as alice <<<'ls'
like 'is traced now' "$(tail -n 200 "$LOG")" 'debug:'
ssh_options alice
mkfifo "$WORK/commands"
sftp -q -b - -P "$PORT" "${SSH_OPTIONS[@]}" alice@127.0.0.1 <"$WORK/commands" >"$WORK/one.out" 2>&1 &
own $!
exec 9>"$WORK/commands"
one_session() { [ "$(ctl --json sessions | jq -s 'map(select(.user == "alice")) | length')" -eq 1 ]; }
wait_for 10 one_session
refuses 'there may be one session of a user only' sftp_as alice <<<'ls'
set_conf limits sessions_per_user 2
kill -HUP "$KEEP_PID"
two_now() { sftp_as alice <<<'ls'; }
ok 'SIGHUP reloads as well' wait_for 10 two_now
is 'the log knows of both' "$(ctl --json audit query --event configuration.reload | jq -s length)" 2
exec 9>&-
set_conf limits idle nonsense
status_of ctl reload
is 'a wrong configuration is refused: status 78' "$STATUS" 78
like '... that says why' "$OUT" 'idle'
kill -HUP "$KEEP_PID"
ok 'and nothing is changed by it' two_now
set_conf limits idle 20m
set_conf daemon log_level info
ok 'a good one is taken' ctl reload

# --- a gate dies ----------------------------------------------------------------------

before=$(gate_pids | sort)
victim=$(head -n 1 <<<"$before")
kill -ABRT "$victim" # no signal that a sanitizer would report as its own find
replaced() { ! gate_pids | grep -qx "$victim" && [ "$(gate_pids | wc -l)" -eq "$(wc -l <<<"$before")" ]; }
ok 'a gate that dies is replaced' wait_for 15 replaced
ok 'it is served all the while' sftp_as bob <<<"get /acme/incoming/one $WORK/out"
same_file 'with what was there' "$WORK/out" "$WORK/in"
crashes() { ctl --json audit query --event gate.crash | jq -s length; }
is 'the log knows' "$(crashes)" 1
is 'and so does status' "$(ctl --json status | jq '[.gates[].restarts] | add')" 1

# --- the keep is killed ------------------------------------------------------------------

# Files are put one after the other until the keep dies in the middle: what was answered is there.
for ((i = 0; i < 500; i++)); do
	random_file "$WORK/k$i" $((i * 777))
	echo "put $WORK/k$i incoming/k$i"
done >"$WORK/puts"
put_on() {
	ssh_options alice
	sftp -b "$WORK/puts" -P "$PORT" "${SSH_OPTIONS[@]}" alice@127.0.0.1 >"$WORK/puts.out" 2>&1
}
put_on &
putter=$!
own "$putter"
some_puts() { [ "$(grep -c '^sftp> put' "$WORK/puts.out")" -ge "$1" ]; }
gates=$(gate_pids)
wait_for 60 some_puts 25 || flunk 'files arrive'
crash_keep
wait_for 20 not alive "$putter" || flunk 'the client notices'
for gate in $gates; do
	alive "$gate" && flunk "gate $gate has ended with its keep"
done
run_keep
ok 'after a kill it starts again' sftp_as bob <<<"get /acme/incoming/one $WORK/out"
same_file 'with what was there' "$WORK/out" "$WORK/in"
# A command is echoed when the one before it has been answered.
answered=$(($(grep -c '^sftp> put' "$WORK/puts.out") - 1))
mkdir "$WORK/got"
ok 'and with what was sent until then' sftp_as bob <<<"get /acme/incoming/k* $WORK/got/"
lost=0
for ((i = 0; i < answered; i++)); do
	cmp -s "$WORK/k$i" "$WORK/got/k$i" || lost=$((lost + 1))
done
is "of $answered files that were acknowledged, none is lost" "$lost" 0
ok 'the log verifies' ctl audit verify
is 'and has all of them' \
	"$(ctl --json audit query --event upload.complete | jq -r .path | grep -c '/k[0-9]*$')" \
	"$(find "$WORK/got" -type f | wc -l)"
ok 'catalog and files agree' ctl check --deep

# --- stop --------------------------------------------------------------------------------

set_conf limits drain 20s
ok 'more time for the end' ctl reload
random_file "$WORK/in" 8000000
ssh_options alice
in_time sftp -q -b - -l 32000 -P "$PORT" "${SSH_OPTIONS[@]}" alice@127.0.0.1 \
	<<<"put $WORK/in incoming/slow"$'\nls -l incoming/slow\npwd' >"$WORK/slow.out" 2>&1 &
slow=$!
own "$slow"
uploading() { ctl --json sessions | jq -es 'any(.puts > 0)' >/dev/null; }
wait_for 10 uploading
gates=$(gate_pids)
second_keep
stop_keep 'SIGTERM stops it, with status 0'
wait "$slow"
is 'when a client has come to the end of its commands' "$?" 0
for gate in $gates; do
	alive "$gate" && flunk "gate $gate has ended, too"
done
ok 'a keep that waited takes over' ctl status --wait 20
kill -TERM "$SECOND"
wait "$SECOND"
is 'and ends with status 0, too' "$?" 0
status_of ctl status
is 'nobody answers any more: status 69' "$STATUS" 69
run_keep
ok 'an upload under way was let through' sftp_as bob <<<"get /acme/incoming/slow $WORK/out"
same_file 'whole' "$WORK/out" "$WORK/in"
starts() { ctl --json audit query --event "$1" | jq -s length; }
is 'the log has each start' "$(starts start)" 4
is 'and each stop' "$(starts stop)" 2
kill -INT "$KEEP_PID"
ok 'SIGINT stops it as well' wait_for 15 not alive "$KEEP_PID"
wait "$KEEP_PID"
is 'with status 0' "$?" 0
KEEP_PID=

# --- service managers --------------------------------------------------------------------

cat >"$WORK/listen.py" <<'EOF'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(s.recv(4096).decode().replace("\n", " "), flush=True)
EOF
if grep -q '^#define HAVE_SYSTEMD 1' "$top_builddir/config.h"; then
	/usr/bin/python3 "$WORK/listen.py" "$WORK/notify" >"$WORK/notified" 2>&1 &
	listener=$!
	own "$listener"
	wait_for 10 grep -q bound "$WORK/notified"
	NOTIFY_SOCKET=$WORK/notify run_keep
	ok 'systemd is told that it is ready' wait_for 10 grep -q READY=1 "$WORK/notified"
	kill -HUP "$KEEP_PID"
	ok 'and that it reloads' wait_for 10 grep -q RELOADING=1 "$WORK/notified"
	stop_keep
	ok 'and stops' wait_for 10 grep -q STOPPING=1 "$WORK/notified"

	if command -v systemd-socket-activate >/dev/null; then
		PORT=$(free_port)
		printf '[127.0.0.1]:%s %s\n' "$PORT" "$(<"$STATE/keys/ssh_host_ed25519_key.pub")" >"$WORK/known_hosts"
		systemd-socket-activate -l "127.0.0.1:$PORT" "$DROPKEEPD" -c "$CONF" >>"$LOG" 2>&1 </dev/null &
		KEEP_PID=$!
		listens() { (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }
		wait_for 10 listens
		ok 'a socket that was handed over' sftp_as bob <<<"get /acme/incoming/slow $WORK/out"
		ok 'is served' ctl status
		unlike 'in place of those of the configuration' \
			"$(ss -tln 2>/dev/null)" "127\.0\.0\.1:${PORT1}[[:space:]]"
		stop_keep
	else
		skip 'a socket that was handed over' 'systemd-socket-activate is not installed'
	fi
else
	skip 'what systemd is told' 'built without libsystemd'
fi

done_testing
