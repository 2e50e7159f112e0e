#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A keep with two gates, one of which was taken over: a program in its place (hostile_process)
# does one misdeed after the other, while the other gate serves a client.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need sftp
need jq

BIN=$WORK/bin
mkdir "$BIN"
cp "$top_builddir/dropkeepd" "$BIN/dropkeepd"
cp "$top_builddir/tests/fault/hostile_process" "$BIN/dropkeep-gate"
cp "$top_builddir/dropkeep-gate" "$BIN/real-gate"
: >"$BIN/config.status" # the keep takes the gate beside itself
DROPKEEPD=$BIN/dropkeepd
GATES_MAY_DIE=1
DEEDS=7 # of hostile_process; from then on it is idle

misdeeds() { stat -c %s "$BIN/count" 2>/dev/null || echo 0; }
misdeeds_reach() { [ "$(misdeeds)" -ge "$1" ]; }
crashes() { ctl --json audit query --event gate.crash | jq -r .detail.why; }

new_keep
set_conf daemon gates 2
set_conf limits drain 2s
printf eve >"$BIN/user"
make_key eve
cut -d ' ' -f 2 "$WORK/eve.key.pub" | base64 -d >"$BIN/key"

# The gate of the first start has to find its user.
run_keep
add_zone acme
add_user alice client acme
ctl user add eve --role client --zone acme >"$WORK/add.out" 2>&1 &&
	ctl key add eve "$WORK/eve.key.pub" >>"$WORK/add.out" 2>&1 || bail_out 'cannot add eve'
add_user sam staff acme

random_file "$WORK/in" 300K
round=0
one_round() {
	round=$((round + 1))
	sftp_as alice >"$WORK/round.out" 2>&1 <<-END || return
		put $WORK/in incoming/file-$round
		ls incoming
		rm incoming/file-$round
	END
	grep -q "file-$round" "$WORK/round.out"
}

served=0 failed=0
end=$((SECONDS + 120))
until misdeeds_reach $((DEEDS + 1)) || [ $SECONDS -ge $end ]; do
	if one_round; then served=$((served + 1)); else failed=$((failed + 1)); diag_file "$WORK/round.out"; fi
done
ok 'every misdeed was done, and another gate followed it' misdeeds_reach $((DEEDS + 1))
is 'the other gate served every round' "$failed" 0
ok 'and there were many' [ "$served" -ge 5 ]

crashes >"$WORK/crashes"
for why in 'status that does not exist\|no ask\|room for its header' 'malformed message' 'more than 256 asks' \
	'carries too much' 'still has a writer' 'closed its link and stayed'; do
	ok "the log says why: ${why##*|}" grep -q "$why" "$WORK/crashes"
done
is 'nothing was published by a gate that could still write' \
	"$(ctl --json audit query --event upload.complete --user eve | jq -s length)" 0
ok 'the log verifies' ctl audit verify
ok 'nothing is wrong with what is stored' ctl check --deep

ok 'sam fetches what alice has sent' sftp_as alice <<<"put $WORK/in incoming/last"
ok 'as she sent it' sftp_as sam <<<"get /acme/incoming/last $WORK/out"
same_file 'all of it' "$WORK/in" "$WORK/out"

child=$(cat "$BIN/child")
stop_keep 'the keep stops, although a gate does not'
ok 'a child of the gate that was ended outlives it' alive "$child"
# It has the lock: whatever it can still write to, no keep takes up the state beside it.
"$DROPKEEPD" -c "$CONF" >>"$LOG" 2>&1 </dev/null &
KEEP_PID=$!
ok 'the next keep waits for the lock that it holds' \
	wait_for 10 grep -q 'waiting for another dropkeepd' "$LOG"
refuses 'and serves nobody meanwhile' ctl status
kill -KILL "$child"
ok 'it goes on when the child is gone' ctl status --wait 20
ok 'and has all that there was' sftp_as sam <<<'ls /acme/incoming/last'
stop_keep
diag "misdeeds done: $DEEDS, rounds of a client served beside them: $served"
done_testing
