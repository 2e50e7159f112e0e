#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The operator's work with dropkeepctl: every command, what it says as JSON, its exit statuses;
# and that what it does counts at once, for sessions that are open as well.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need sftp ssh-keygen jq

new_keep
run_keep
random_file "$WORK/in" 1M

# status DESCRIPTION STATUS REGEX ARGUMENT…: what dropkeepctl ends with, and says.
status() {
	local what=$1 wanted=$2 words=$3 got=0
	shift 3
	said_by in_time "$DROPKEEPCTL" -c "$CONF" "$@" || got=$?
	is "$what: status $wanted" "$got" "$wanted"
	like '... in words' "$OUT" "$words"
}

# json DESCRIPTION JQ-CONDITION ARGUMENT…: it ends with 0, prints JSON lines alone, and the
# condition is true of the array of them.
json() {
	local what=$1 condition=$2
	shift 2
	if said_by in_time "$DROPKEEPCTL" -c "$CONF" --json "$@" && jq -es "$condition" <<<"$OUT" >/dev/null; then
		pass "$what"
	else
		flunk "$what" "not so: $condition"$'\n'"$OUT"
	fi
}

# --- zones -------------------------------------------------------------------------------

json 'no zones yet' 'length == 0' zone list
json 'a zone is added' '.[0].name == "acme" and .[0].quota == 104857600 and .[0].recovery' \
	zone add acme --quota 100M
json 'another, without recovery, for a time' \
	'.[0].quota == 0 and .[0].retention == 86400 and (.[0].recovery | not)' \
	zone add bare --no-recovery --retention 1d
status 'not twice' 73 'exists already' zone add acme
status 'a zone needs a name' 64 'empty' zone add ''
for name in Acme .acme 'a b' 'a/b' "$(printf 'a%.0s' {1..64})" '*'; do
	status "no zone has the name '$name'" 65 'not a name' zone add "$name"
done
status 'no size' 64 'size|1X' zone add other --quota 1X
status 'sealed zones come later' 69 'sealed' zone add other --sealed
json 'zones are listed by name' 'map(.name) == ["acme", "bare"]' zone list
json 'one is shown' '.[0].files == 0 and .[0].used == 0 and (.[0].made | test("^20.*Z$"))' zone show acme
status 'one that is not there' 66 "no zone 'none'" zone show none
json 'a quota is set' '.[0].quota == 10485760' zone set acme --quota 10M
json 'and a time' '.[0].retention == 2592000 and .[0].quota == 10485760' zone set acme --retention 30d
status 'something has to be set' 64 '' zone set acme
status 'for people' 0 'quota: +10 MiB' zone show acme

# --- users -------------------------------------------------------------------------------

json 'a user is added' '.[0].name == "alice" and .[0].role == "client" and (.[0].grants | length) == 2' \
	user add alice --role client --zone acme
json 'of two zones' '[.[0].grants[].zone] | unique == ["acme", "bare"]' user add bob --role staff --zone acme,bare
json 'of all' '[.[0].grants[].zone] | unique == ["*"]' user add aud --role auditor --zone '*'
status 'not twice' 73 'exists already' user add alice --role staff --zone acme
status 'no such zone' 66 'none' user add carol --role client --zone none
status 'no such role' 64 'role|king' user add carol --role king --zone acme
status 'a role is needed' 64 'role' user add carol --zone acme
json 'which left nothing' 'map(.name) == ["alice", "aud", "bob"]' user list
for user in alice bob aud; do
	make_key "$user"
done
json 'a key' '.[0].kind == "ssh-key" and .[0].algorithm == "ssh-ed25519" and .[0].comment == "alice" and
	(.[0].fingerprint | startswith("SHA256:"))' key add alice "$WORK/alice.key.pub"
is 'by its fingerprint' "$(ctl --json credential list alice | jq -r .fingerprint)" \
	"$(ssh-keygen -lf "$WORK/alice.key.pub" | cut -d ' ' -f 2)"
json 'by standard input' 'length == 1' key add bob - <"$WORK/bob.key.pub"
json 'for some time' '.[0].expires | test("^20.*Z$")' key add aud "$WORK/aud.key.pub" --expires 1h
status 'not twice' 73 'already' key add alice "$WORK/alice.key.pub"
status 'no private key' 64 'private key' key add alice "$WORK/alice.key"
echo 'ssh-ed25519 AAAA nothing' >"$WORK/bad.pub"
status 'no broken key' 65 '' key add alice "$WORK/bad.pub"
status 'no file' 66 'none.pub' key add alice "$WORK/none.pub"
status 'no user' 66 "no user 'nobody'" key add nobody "$WORK/alice.key.pub"
json 'credentials of all' 'map(.user) | unique == ["alice", "aud", "bob"]' credential list
json 'of one' 'map(.user) == ["bob"]' credential list bob
json 'a user is shown' '.[0].credentials | length == 1' user show alice
ok 'who enters now' sftp_as alice <<<"put $WORK/in incoming/one"
json 'and counts' '.[0].files == 1 and .[0].used == 1048576' zone show acme

# --- the quota ---------------------------------------------------------------------------

random_file "$WORK/large" 20M
refuses 'more than the quota is refused' sftp_as alice <<<"put $WORK/large incoming/large"
like 'in the log: why' "$(ctl audit query --user alice)" 'quota'
no_puts() { ctl --json sessions | jq -es 'map(.puts) | add // 0 | . == 0' >/dev/null; }
wait_for 10 no_puts
resumes() {
	ctl zone set acme --quota 40M >"$WORK/set.out" &&
		sftp_as alice <<<"reput $WORK/large incoming/large" &&
		sftp_as bob <<<"get /acme/incoming/large $WORK/out" && cmp "$WORK/large" "$WORK/out" &&
		sftp_as alice <<<'rm incoming/large' && ctl zone set acme --quota 10M
}
ok 'what had come of it can go on when there is room' resumes
refuses 'again' sftp_as alice <<<"put $WORK/large incoming/large"
wait_for 10 no_puts
ok 'or can be removed' sftp_as alice <<<'rm incoming/large'
json 'and nothing is reserved for it' '.[0].reserved == 0 and .[0].used == 1048576' zone show acme
random_file "$WORK/five" 5M
ok 'what fits, fits' sftp_as alice <<<"put $WORK/five incoming/five"
ok 'df shows it' sftp_as alice <<<'df incoming'
read -r total used free _ <<<"$(tail -n 1 <<<"$OUT")"
is 'the quota' "$total" 10240
is 'what is used of it' "$used" 6144
is 'and what is left' "$free" 4096
random_file "$WORK/four" 4M
ok 'to the last byte' sftp_as alice <<<"put $WORK/four incoming/four"
: >"$WORK/none"
echo x >"$WORK/x"
refuses 'and not one more' sftp_as alice <<<"put $WORK/x incoming/x"
json 'more room' '.[0].quota == 0' zone set acme --quota 0
ok 'for more' sftp_as alice <<<"put $WORK/large incoming/large"
ok 'all of which goes again' sftp_as alice <<<'rm incoming/*'
json 'and is not counted any more' '.[0].used == 0 and .[0].files == 0' zone show acme

# --- grants ------------------------------------------------------------------------------

json 'rights are granted' '.[0].prefix == "incoming/x" and .[0].rights == "lr"' grant alice acme:incoming/x lr
json 'and more' '.[0].rights == "lrd"' grant alice acme:incoming/x d
json 'some are taken' '.[0].rights == "ld"' revoke alice acme:incoming/x r
json 'then all' '.[0].rights == ""' revoke alice acme:incoming/x
status 'of which there are none left' 66 'no grant' revoke alice acme:incoming/x
status 'no such letter' 64 'lrwodma' grant alice acme x
status 'no such zone' 66 'none' grant alice none lr
status 'no such user' 66 'nobody' grant nobody acme lr
ok 'bob sends' sftp_as bob <<<"put $WORK/in /acme/deliverables/in"
ok 'alice reads' sftp_as alice <<<"get deliverables/in $WORK/out"

# A session that is open all the time; its commands come by way of descriptor 9.
ssh_options alice
mkfifo "$WORK/commands"
sftp -q -P "$PORT" "${SSH_OPTIONS[@]}" alice@127.0.0.1 <"$WORK/commands" >"$WORK/open.out" 2>&1 &
OPEN=$!
own "$OPEN"
exec 9>"$WORK/commands"
# tell COMMAND REGEX: to the open session, which is to answer so.
tell() {
	: >"$WORK/open.out"
	echo "$1" >&9
	wait_for 10 grep -Eq "$2" "$WORK/open.out"
}
ok 'a session is open' tell 'ls -1 deliverables' 'deliverables/in'
json 'and listed' 'length == 1 and .[0].user == "alice" and .[0].protocol == "sftp" and
	.[0].peer == "127.0.0.1" and (.[0].client | test("OpenSSH"))' sessions
json 'what it could read is taken' '.[0].rights == ""' revoke alice acme:deliverables
ok 'which counts for it at once' tell 'ls -1 deliverables' 'not found|No such|denied'
json 'and given back' '.[0].rights == "lr"' grant alice acme:deliverables lr
ok 'at once, too' tell 'ls -1 deliverables' 'deliverables/in'

# --- out ---------------------------------------------------------------------------------

status 'no such session' 66 'no session' kick 4711
id=$(ctl --json sessions | jq .id)
json 'the session is ended' ".[0].id == $id" kick "$id"
nobody_there() { [ "$(ctl --json sessions | wc -l)" -eq 0 ]; }
ok 'and has ended' wait_for 10 nobody_there
exec 9>&-

ssh_options alice
in_time sftp -q -b - -l 8000 -P "$PORT" "${SSH_OPTIONS[@]}" alice@127.0.0.1 \
	<<<"put $WORK/five incoming/slow" >"$WORK/slow.out" 2>&1 &
slow=$!
own "$slow"
uploading() { ctl --json sessions | jq -es 'any(.puts > 0)' >/dev/null; }
wait_for 10 uploading
# ended_by PID: its status; a client that finds its connection closed may die of SIGPIPE.
ended_by() {
	local status=0
	wait "$1" || status=$?
	[ $status -ne 141 ] || status=1
	return $status
}
json 'a user is shut out' '.[0].disabled' user disable alice
refuses 'also in the middle of an upload' ended_by "$slow"
refuses 'and does not get in any more' sftp_as alice <<<pwd
json 'until let in again' '.[0].disabled | not' user enable alice
ok 'to go on' sftp_as alice <<<"reput $WORK/five incoming/slow"
ok 'bob gets it' sftp_as bob <<<"get /acme/incoming/slow $WORK/out"
same_file 'whole' "$WORK/out" "$WORK/five"

credential=$(ctl --json credential list alice | jq .id)
json 'a credential is removed' '.[0].user == "alice"' credential remove "$credential"
refuses 'and does not let in' sftp_as alice <<<pwd
status 'once' 66 'no credential' credential remove "$credential"
json 'a user is removed' '.[0].name == "alice"' user remove alice
status 'once' 66 "no user 'alice'" user remove alice
json 'with all grants and credentials' 'map(.user) | index("alice") == null' credential list
ok 'what she sent stays' sftp_as bob <<<'ls -l /acme/incoming/slow'
json 'somebody else may have the name' '.[0].name == "alice"' user add alice --role client --zone acme
ctl key add alice "$WORK/alice.key.pub" >"$WORK/add.out"
refuses 'but not what went with it' sftp_as alice <<<'rm incoming/slow'

# --- shredding ---------------------------------------------------------------------------

blobs() { find "$STATE/blobs" -type f | wc -l; }
ok 'something in the other zone' sftp_as bob <<<"put $WORK/in /bare/deliverables/in"
before=$(blobs)
json 'a zone is removed' '.[0].name == "acme" and .[0].files == 2' zone remove acme --yes
status 'and is not there any more' 66 'no zone' zone show acme
only_bare() { [ "$(blobs)" -eq 1 ]; }
ok "its files are gone: 1 of $before is left" wait_for 20 only_bare
refuses 'nobody finds it' sftp_as bob <<<'ls /acme'
ok 'the other one stays' sftp_as bob <<<"get /bare/deliverables/in $WORK/out"
same_file 'as it was' "$WORK/out" "$WORK/in"
json 'its records have lost what was sealed in them' \
	'map(select(.event == "upload.complete" and .zone == "acme")) |
	length > 0 and all(.erased and (.path | not) and (.sha256 | not))' audit query
json 'the name can be had again' '.[0].files == 0' zone add acme
refuses 'without what was there' sftp_as bob <<<'ls /acme/incoming/slow'

# --- state -------------------------------------------------------------------------------

json 'status' '.[0] | .serving and (.gates | length) > 0 and .zones == 2 and .users == 3 and
	.writer_check and .problems == [] and (.log.size > 50)' status
json 'a reload without changes' '.[0].changed == [] and .[0].restart == []' reload
json 'catalog and files' '.[-1].problems == 0 and .[-1].blobs == 1' check
json 'every byte of them' '.[-1].problems == 0 and .[-1].bytes == 1048576' check --deep
json 'the log' '.[0].problems == [] and (.[0].checkpoint | length) > 100' audit verify
json 'records' 'length == 3 and all(has("seq") and has("time") and has("event"))' audit query --limit 3
for event in zone.add zone.set zone.remove user.add user.disable user.enable user.remove \
	credential.add credential.remove grant revoke session.kick configuration.reload check audit.verify; do
	json "recorded: $event" "length > 0 and all(.actor == \"operator:$(id -u)\")" audit query --event "$event"
done

status 'no command' 64 'no command'
status 'no such command' 64 'sing' sing
status 'one that is for later' 69 '' backup "$WORK/backup"
status 'too much' 64 '' zone show acme bare
status 'too little' 64 '' zone show
status 'an option that is none' 64 '' zone list --colour
status 'help' 0 'zone add' --help
status 'of one' 0 'quota' zone add --help
status 'version' 0 '[0-9]\.[0-9]' --version
stop_keep
status 'nobody is there: 69' 69 'nobody listens' zone list

done_testing
