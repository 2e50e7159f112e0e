#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `dropkeepctl init` with a stand-in for dropkeepd: what it writes, what it asks for, what it
# leaves behind when things go wrong.
top_srcdir=${top_srcdir:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
top_builddir=${top_builddir:-$PWD}
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

WORK=$(mktemp -d "${TMPDIR:-/tmp}/dk.XXXXXX") || bail_out 'no temporary directory'
trap 'rm -rf "$WORK"' EXIT
mkdir "$WORK/bin" "$WORK/here"
cd "$WORK/here" || bail_out 'no working directory'
cp "$top_builddir/dropkeepctl" "$WORK/bin/" || bail_out 'dropkeepctl is not built'

# It notes how it was called, says something on standard output, and ends as STATUS says.
cat >"$WORK/bin/dropkeepd" <<'END'
#!/bin/sh
printf '%s\n' "$@" >"$0.called"
echo "the daemon's own words"
exit "$(cat "$0.status")"
END
chmod +x "$WORK/bin/dropkeepd"
echo 0 >"$WORK/bin/dropkeepd.status"

# init OPTION…: its status in STATUS, what it said in $WORK/out and $WORK/err.
init() {
	rm -f "$WORK/bin/dropkeepd.called"
	STATUS=0
	"$WORK/bin/dropkeepctl" init "$@" >"$WORK/out" 2>"$WORK/err" </dev/null || STATUS=$?
}
called() { cat "$WORK/bin/dropkeepd.called" 2>/dev/null; }
identity='^AGE-SECRET-KEY-1[0-9A-Z]{58}$'
recipient=age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj

init --state "$WORK/s" --config "$WORK/d.conf" --sftp 127.0.0.1:3022 --sftp '[::1]:3022' --name drop.example --name drop
is 'it succeeds' "$STATUS" 0 || diag_file "$WORK/err"
is 'standard output has the identity alone' "$(grep -Evc '^# ' "$WORK/out")" 1
like 'which is one' "$(tail -n 1 "$WORK/out")" "$identity"
like 'what the daemon said is on standard error' "$(cat "$WORK/err")" "the daemon's own words"
public=$(sed -n 's/^# public key: //p' "$WORK/out")
is 'the daemon is asked for the state' "$(called)" "-c
$WORK/d.conf
--init
--recovery-recipient
$public
--name
drop.example
--name
drop"
like 'the configuration names the state' "$(cat "$WORK/d.conf")" $'\n'"state = $WORK/s"$'\n'
like 'a private instance has its socket below it' "$(cat "$WORK/d.conf")" $'\n'"runtime = $WORK/s/run"$'\n'
is 'addresses are in their section' "$(sed -n '/^\[sftp\]/,/^\[https\]/s/^listen = //p' "$WORK/d.conf")" '127.0.0.1:3022 [::1]:3022'
is 'everything else is as in the sample' "$(diff "$top_srcdir/conf/dropkeepd.conf" "$WORK/d.conf" | grep -c '^>')" 3
is 'the daemon may read it' "$(stat -c %a "$WORK/d.conf")" 644
"$WORK/bin/dropkeepctl" -c "$WORK/d.conf" status >/dev/null 2>"$WORK/err"
is 'the configuration is valid' "$?" 69 || diag_file "$WORK/err"

before=$(cat "$WORK/d.conf")
init --state "$WORK/s" --config "$WORK/d.conf" --recovery-recipient "$recipient"
is 'a configuration that says the same is used' "$STATUS" 0 || diag_file "$WORK/err"
is 'and not touched' "$(cat "$WORK/d.conf")" "$before"
is 'nothing is printed for a recipient that is known' "$(cat "$WORK/out")" ''
like 'which is handed on' "$(called)" "$recipient"
init --state "$WORK/other" --config "$WORK/d.conf"
is 'a configuration that says otherwise is refused' "$STATUS" 73
is 'and the daemon not called' "$(called)" ''
init --state "$WORK/s" --config "$WORK/d.conf" --sftp 127.0.0.1:1
is 'also for other addresses' "$STATUS" 73
is 'the configuration is still the same' "$(cat "$WORK/d.conf")" "$before"

init --state "$WORK/s2" --config "$WORK/new/d.conf" --recovery "$WORK/recovery.txt" --https 127.0.0.1:8443
is 'it makes the folder of the configuration' "$STATUS" 0 || diag_file "$WORK/err"
is 'an identity that went to a file is not printed' "$(cat "$WORK/out")" ''
like 'it is in the file' "$(tail -n 1 "$WORK/recovery.txt")" "$identity"
is 'which is for its owner alone' "$(stat -c %a "$WORK/recovery.txt")" 600
is 'HTTPS is in its section' "$(sed -n '/^\[https\]/,$s/^listen = //p' "$WORK/new/d.conf")" 127.0.0.1:8443
if command -v age-keygen >/dev/null; then
	is 'age knows the identity' "$(age-keygen -y "$WORK/recovery.txt")" "$(sed -n 's/^# public key: //p' "$WORK/recovery.txt")"
else
	skip 'age knows the identity' 'age is not installed'
fi

umask 077
init --state ./rel/ --config rel.conf --recovery rel.txt
umask 022
is 'relative paths work' "$STATUS" 0 || diag_file "$WORK/err"
like 'and are written in full' "$(cat rel.conf)" $'\n'"state = $WORK/here/rel"$'\n'
is 'whatever the umask' "$(stat -c %a rel.conf)" 644

init --json --state "$WORK/s3" --config "$WORK/s3.conf"
is 'JSON is one line' "$(wc -l <"$WORK/out")" 1
like 'with the identity' "$(cat "$WORK/out")" '"recovery_identity":"# .*AGE-SECRET-KEY-1'
like 'and no file' "$(cat "$WORK/out")" '"recovery_file":null'

# Failures leave nothing behind.
echo 73 >"$WORK/bin/dropkeepd.status"
init --state "$WORK/f" --config "$WORK/fail/d.conf" --recovery "$WORK/f.txt"
is "the daemon's status is passed on" "$STATUS" 73
is 'nothing is left for a second try to stumble over' "$(find "$WORK" -maxdepth 1 -name 'f*')" ''
init --state "$WORK/s" --config "$WORK/d.conf"
is 'nor is anything removed that was there' "$(cat "$WORK/d.conf")" "$before"
is 'an identity that is not in use is not shown' "$(cat "$WORK/out")" ''
for status in 64 65 69 74 75 77 78; do
	echo $status >"$WORK/bin/dropkeepd.status"
	init --state "$WORK/f" --config "$WORK/f.conf"
	is "status $status is passed on" "$STATUS" $status
done
echo 0 >"$WORK/bin/dropkeepd.status"

echo mine >"$WORK/mine"
init --state "$WORK/f" --config "$WORK/f.conf" --recovery "$WORK/mine"
is 'a recovery file that is there is refused' "$STATUS" 73
is 'and kept' "$(cat "$WORK/mine")" mine
init --state "$WORK/f" --config "$WORK/no/such/f.conf"
is 'folders are not made without end' "$STATUS" 66
init --state "$WORK/f" --config "$WORK/f.conf" --recovery "$WORK/f.txt" --recovery-recipient "$recipient"
is 'an identity is made or known, not both' "$STATUS" 64
init --state "$WORK/f" --config "$WORK/f.conf" --recovery-recipient age1nonsense
is 'a recipient must be one' "$STATUS" 64
init --state "$WORK/$(printf '%0200d' 1)" --config "$WORK/f.conf"
is 'a path that does not fit on a line is refused' "$STATUS" 78
printf '#!/bin/sh\nexit 1\n' >"$WORK/bin/dropkeepd"
init --state "$WORK/f" --config "$WORK/f.conf"
is 'another status counts as a failure' "$STATUS" 74
is 'after all that nothing is left' "$(find "$WORK" -maxdepth 1 -name 'f*')" ''
done_testing
