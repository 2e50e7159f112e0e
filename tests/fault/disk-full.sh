#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A disk that gets full, by uploads and by other programs: whoever cannot be served is told so,
# what was acknowledged is whole, and what is removed makes room for what was left unfinished.
. "${top_srcdir:-.}/tests/fault/disk-lib.sh"
on_small_disk 64m "$@"
. "$top_srcdir/tests/talk/lib.sh"
need sftp ssh-keygen jq

use_small_disk
new_keep
set_conf limits disk_reserve 4M
set_conf limits disk_ballast 4M
# shellcheck disable=SC2034 # of the keep's library
GATES_MAY_DIE=1 # with a keep that ends for want of room
run_keep
add_zone acme
add_user alice client acme
add_user anna client acme
add_user bob staff acme
BALLAST=$STATE/ballast

# --- what the tests say ------------------------------------------------------------------

ROUNDS=1
[ -z "${DROPKEEP_LONG-}" ] || ROUNDS=25
REFUSED=0

# put_as USER FILE NAME: whether it was acknowledged; all that were are counted.
put_as() { sftp_as "$1" <<<"${4-put} $2 incoming/$3" >"$WORK/put.$3" 2>&1 && echo "$3" >>"$WORK/all"; }
reput_as() { put_as "$@" reput; }
remove_as() { sftp_as "$1" <<<"rm incoming/$2"; }

noted() { echo "$2" >>"$WORK/$1"; }
noted_names() { [ ! -f "$WORK/$1" ] || sort "$WORK/$1"; }
forget() { rm -f "$WORK/acknowledged" "$WORK/refused"; }

# try USER FILE NAME: note how it ended. A client that hangs is no refusal.
try() {
	local status=0
	put_as "$@" || status=$?
	judge "$status" "$3"
}
judge() {
	case $1 in
	0) noted acknowledged "$2" ;;
	1 | 141 | 255) noted refused "$2" && REFUSED=$((REFUSED + 1)) ;;
	*) flunk "a client ends by itself (status $1)" "$(<"$WORK/put.$2")" ;;
	esac
}

seen_by_bob() { sftp_as bob <<<'ls -1 /acme/incoming' | tail -n +2 | sed 's|.*/||' | sort; }

# whole WHAT FILE: bob sees what was acknowledged, no more and no less, and it is FILE.
whole() {
	local name
	is "$1: bob sees what was acknowledged" "$(seen_by_bob)" "$(noted_names acknowledged)"
	for name in $(noted_names acknowledged); do
		rm -f "$WORK/out"
		sftp_as bob <<<"get /acme/incoming/$name $WORK/out" >"$WORK/said" 2>&1
		cmp -s "$WORK/out" "$2" || flunk "$1: $name is whole" "$(<"$WORK/said")"
	done
	pass "$1: what was acknowledged is whole"
}

problems() { ctl --json status | jq -r '.problems[]'; }
no_problems() { [ -z "$(problems)" ]; }
records() { ctl --json audit query --event "$1" --limit 100000 | jq -s length; }

# --- by uploads --------------------------------------------------------------------------

random_file "$WORK/ten" 10M
random_file "$WORK/small" 100K
is 'the ballast takes its room' "$(stat -c '%s %a' "$BALLAST")" "$((4 << 20)) 600"
[ $(($(stat -c '%b * %B' "$BALLAST"))) -ge $((4 << 20)) ]
is 'really' "$?" 0

for i in 1 2 3 4 5 6; do
	try alice "$WORK/ten" "big$i"
done
is 'five files of 10 MiB find room, the sixth does not' \
	"$(noted_names acknowledged | tr '\n' ' ')$(noted_names refused)" 'big1 big2 big3 big4 big5 big6'
whole 'full' "$WORK/ten"
left=$(disk_free)
[ "$left" -ge $((3 << 20)) ]
is 'the reserve stays free' "$?" 0
is 'and uploads alone do not cost the ballast' "$(size_of "$BALLAST")" $((4 << 20))
is 'so there is no problem' "$(problems)" ''
like 'alice sees what has arrived' "$(sftp_as alice <<<'ls -l incoming/big6')" 'big6'
refuses 'which does not go on now' reput_as alice "$WORK/ten" big6
ok 'one is removed' remove_as alice big1
ok 'then it goes on' reput_as alice "$WORK/ten" big6
forget
for i in 2 3 4 5 6; do noted acknowledged "big$i"; done
whole 'resumed' "$WORK/ten"
is 'it was resumed' "$(ctl --json audit query --event upload.complete --limit 1 | jq .resumed)" true
for i in 2 3 4 5 6; do remove_as alice "big$i" >"$WORK/said" 2>&1; done
forget

# --- the words ---------------------------------------------------------------------------

if python -c 'import paramiko' 2>/dev/null; then
	in_time /usr/bin/python3 -W ignore "$top_srcdir/tests/fault/disk-words.py" "$PORT" \
		"$STATE/keys/ssh_host_ed25519_key.pub" "$WORK/alice.key" alice \
		incoming/one incoming/two incoming/three >"$WORK/words" 2>&1
	like 'a write that finds no room is told so' "$(<"$WORK/words")" 'write incoming/one: disk full'
	like 'by each of three at once' "$(<"$WORK/words")" 'write incoming/two: disk full'
	like 'so is its close' "$(<"$WORK/words")" 'close incoming/one: disk full'
	in_time /usr/bin/python3 -W ignore "$top_srcdir/tests/fault/disk-words.py" "$PORT" \
		"$STATE/keys/ssh_host_ed25519_key.pub" "$WORK/anna.key" anna \
		incoming/four >>"$WORK/words" 2>&1
	like 'and an open' "$(<"$WORK/words")" '(open|write) incoming/four: disk full'
	is 'and nothing else is said' "$(grep -v ': disk full$' "$WORK/words")" ''
	for i in one two three four; do
		remove_as alice $i >"$WORK/said" 2>&1 || remove_as anna $i >"$WORK/said" 2>&1
	done
else
	skip 'the words of a refusal' 'python3-paramiko is not installed'
fi

# --- several at once ---------------------------------------------------------------------

at_once() {
	local i pids=() status
	for i in 1 2 3 4 5 6 7; do
		put_as alice "$WORK/ten" "many$i" &
		pids+=("$!")
	done
	for i in 1 2 3 4 5 6 7; do
		status=0
		wait "${pids[i - 1]}" || status=$?
		judge "$status" "many$i"
	done
	[ -f "$WORK/refused" ] || flunk 'seven at once do not all find room'
	[ "$(disk_free)" -ge $((3 << 20)) ] && [ -e "$BALLAST" ]
	is 'seven at once: together they leave the reserve alone' "$?" 0
	whole 'seven at once' "$WORK/ten"
	# Room for one after the other, until all have been there whole.
	for i in $(noted_names acknowledged); do remove_as alice "$i" >"$WORK/said" 2>&1; done
	for i in $(noted_names refused); do
		reput_as alice "$WORK/ten" "$i" || put_as alice "$WORK/ten" "$i" ||
			flunk "$i finds room" "$(<"$WORK/put.$i")"
		rm -f "$WORK/acknowledged"
		noted acknowledged "$i"
		sftp_as bob <<<"get /acme/incoming/$i $WORK/out" >"$WORK/said" 2>&1
		cmp -s "$WORK/ten" "$WORK/out" || flunk "$i is whole in the end"
		remove_as alice "$i" >"$WORK/said" 2>&1 || flunk "$i is removed" "$(<"$WORK/said")"
	done
	forget
	is 'what was refused found room in the end' "$(sftp_as alice <<<'ls -1 incoming' | tail -n +2)" ''
}

for ((round = 0; round < ROUNDS; round++)); do
	at_once
done
is 'nothing is left on the disk' "$(ctl --json check | jq -r .blobs)" 0

# --- by another program, while we serve --------------------------------------------------

fill_while_serving() {
	local low
	low=$(records disk.low)
	try alice "$WORK/small" kept
	try alice "$WORK/small" gone
	fill_disk
	is 'nothing is free' "$(disk_free)" 0
	ok 'full: a file can be fetched' sftp_as bob <<<"get /acme/incoming/kept $WORK/out"
	same_file 'full: as it was' "$WORK/out" "$WORK/small"
	[ ! -e "$BALLAST" ]
	is 'full: the ballast is given up' "$?" 0
	refuses 'full: nothing is taken' put_as alice "$WORK/small" more
	ok 'full: a file can be removed' remove_as alice gone
	ok 'full: a folder can be made' sftp_as alice <<<'mkdir incoming/folder'
	like 'full: the operator is told' "$(problems)" 'almost full'
	is 'full: it is recorded, once' "$(records disk.low)" $((low + 1))
	clear_disk
	wait_for 20 test -e "$BALLAST" || flunk 'the ballast comes back'
	wait_for 20 no_problems
	is 'the operator is told' "$(problems)" ''
	is 'that is recorded, too' "$(records disk.ok)" $((low + 1))
	ok 'then a file is taken' put_as alice "$WORK/small" more
	ok 'a folder goes' sftp_as alice <<<'rmdir incoming/folder'
	forget
	noted acknowledged kept
	noted acknowledged more
	whole 'after that' "$WORK/small"
	remove_as alice kept >"$WORK/said" 2>&1
	remove_as alice more >"$WORK/said" 2>&1
	forget
}

for ((round = 0; round < ROUNDS; round++)); do
	fill_while_serving
done

# In the middle of an upload: what has arrived stays, and goes on.
random_file "$WORK/slow" 6M
put_slowly() {
	ssh_options alice
	in_time sftp -q -b - -l 16000 -P "$PORT" "${SSH_OPTIONS[@]}" alice@127.0.0.1 \
		<<<"put $WORK/slow incoming/slow" >"$WORK/put.slow" 2>&1
}
put_slowly &
pid=$!
stored_some() { [ "$(du -sb "$STATE/blobs" | cut -f 1)" -gt $((1100 * 1024)) ]; }
wait_for 20 stored_some || flunk 'an upload is under way'
fill_disk
status=0
wait "$pid" || status=$?
is 'an upload whose room another program takes is refused' "$status" 1
is 'bob sees nothing of it' "$(seen_by_bob)" ''
clear_disk
wait_for 20 test -e "$BALLAST"
ok 'it is sent again when there is room' put_as alice "$WORK/slow" slow
noted acknowledged slow
whole 'in the end' "$WORK/slow"
remove_as alice slow >"$WORK/said" 2>&1
forget

# --- at the start ------------------------------------------------------------------------

try alice "$WORK/small" kept
try alice "$WORK/small" gone
stop_keep 'the keep stops, on a disk with room'
[ -e "$BALLAST" ]
is 'the ballast is there' "$?" 0
fill_disk
is 'nothing is free, again' "$(disk_free)" 0
run_keep
[ ! -e "$BALLAST" ]
is 'it starts, for the price of the ballast' "$?" 0
is 'as it says' "$(ctl --json audit query --event start --limit 1 | jq .detail.ballast)" false
ok 'a file can be removed' remove_as alice gone
ok 'another one fetched' sftp_as bob <<<"get /acme/incoming/kept $WORK/out"
refuses 'nothing is taken' put_as alice "$WORK/small" more

# And if somebody takes the ballast's room as well: nothing acknowledged is lost, whatever ends.
fill_disk
for i in 1 2 3 4; do
	put_as alice "$WORK/small" "lost$i"
	remove_as alice kept >"$WORK/said" 2>&1 && { KEPT=0; break; }
	alive "$KEEP_PID" || break
done
if alive "$KEEP_PID"; then
	pass 'with nothing left at all it goes on'
	stop_keep 'and stops in good order'
else
	wait "$KEEP_PID"
	like 'with nothing left at all it ends, and says so' "$(tail -n 3 "$LOG")" 'cannot go on|does not start'
fi
KEEP_PID=
"$DROPKEEPD" -c "$CONF" >>"$LOG" 2>&1 </dev/null &
pid=$!
if wait_for 3 not alive "$pid"; then
	wait "$pid"
	unlike 'without room for its first record it does not start' "$?" '^(0|1[2-9][0-9])$'
else
	end_pid "$pid" 30
	pass 'it starts even so'
fi
clear_disk
run_keep
[ -e "$BALLAST" ]
is 'with room it starts, and has ballast' "$?" 0
if [ -n "${KEPT-}" ]; then
	is 'what was removed is gone' "$(seen_by_bob)" ''
else
	is 'what was acknowledged is there' "$(seen_by_bob)" kept
	ok 'and can be fetched' sftp_as bob <<<"get /acme/incoming/kept $WORK/out"
	same_file 'whole' "$WORK/out" "$WORK/small"
fi
ok 'and a file is taken' put_as alice "$WORK/ten" last

# --- what stands of all this -------------------------------------------------------------

ok 'the log verifies' ctl audit verify
ok 'nothing is wrong with what is stored' ctl check --deep
is 'one record stands for each upload that was published' "$(records upload.complete)" \
	"$(wc -l <"$WORK/all")"
stop_keep
diag "$(wc -l <"$WORK/all") uploads acknowledged, $REFUSED refused, on a disk of 64 MiB"
done_testing
