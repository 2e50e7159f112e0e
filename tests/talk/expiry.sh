#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Unfinished uploads that nobody goes on with: what is said of their end is kept, whether tus or SFTP
# began them; what they had reserved comes back; open ones stay; too many at once raise an alert,
# which an operator confirms.
. "${top_srcdir:-.}/tests/talk/lib.sh"
. "$top_srcdir/tests/talk/https-lib.sh"
need curl jq sftp ssh-keygen
start_https
add_zone acme --quota 1G
add_web_user anna client acme
add_user bob staff acme
random_file "$WORK/in" 3000000
head -c 1000000 "$WORK/in" >"$WORK/third"
tus=(-H 'Tus-Resumable: 1.0.0')

create() { # NAME: a third of the file, as an upload that goes on; $UPLOAD
	web anna /uploads -X POST "${tus[@]}" -H "Upload-Metadata: path $(printf '/acme/incoming/%s' "$1" | b64)" \
		-H 'Upload-Length: 3000000'
	UPLOAD=$(field Location)
	patch 0 "$WORK/third"
}
patch() {
	web anna "$UPLOAD" -X PATCH "${tus[@]}" -H 'Content-Type: application/offset+octet-stream' \
		-H "Upload-Offset: $1" --data-binary "@$2"
}
# ends_at: what the last answer said, as seconds since 1970.
ends_at() { date -d "$(field Upload-Expires)" +%s; }
uploads() { ctl --json status | jq .uploads; }
no_upload() { [ "$(uploads)" = 0 ]; }
reserved() { ctl --json zone show acme | jq .reserved; }
expired() { ctl --json audit query --event upload.expire; }
expired_count() { expired | jq -s length; }
kinds() { ctl --json alerts | jq -r .kind; }
# say_limits KEY VALUE: from now on.
say_limits() {
	set_conf limits "$1" "$2"
	ok "$1 is $2 from now on" ctl reload
}

# --- what is said of its end --------------------------------------------------------------

say_limits upload_expiry 1h
before=$(date +%s)
create told
is 'a third is there' "$STATUS" 204
first=$(ends_at)
[ "$first" -ge $((before + 3599)) ] && [ "$first" -le $(($(date +%s) + 3600)) ]
is 'it has an hour from now' $? 0
sleep 2
web anna "$UPLOAD" -I "${tus[@]}"
is 'a look at it gives it no more time' "$(ends_at)" "$first"
head -c 1100000 "$WORK/in" | tail -c 100000 >"$WORK/more"
patch 1000000 "$WORK/more"
[ "$(ends_at)" -gt "$first" ]
is 'what comes does' $? 0
last=$(field Upload-Expires)
web anna '/uploads?path=/acme/incoming/told'
is 'and so it says of itself' "$(date -d "$(jq -r .expires "$WORK/body")" +%s)" "$(date -d "$last" +%s)"
is 'its length is reserved' "$(reserved)" 3000000

# --- what happens then -----------------------------------------------------------------------

say_limits upload_expiry 2s
web anna "$UPLOAD" -I "${tus[@]}"
end=$(ends_at)
ok 'it goes' wait_for 20 no_upload
[ "$(date +%s)" -ge "$end" ]
is 'but not before it was said to' $? 0
answers 'HEAD does not find it any more' 404 anna "$UPLOAD" -I "${tus[@]}"
patch 1100000 "$WORK/more"
is 'nor does PATCH' "$STATUS" 404
answers 'nor whoever asks for the path' 404 anna '/uploads?path=/acme/incoming/told'
is 'its room is free again' "$(reserved)" 0
is 'it is recorded' "$(expired | jq -c '[.actor, .outcome, .zone, .path, .size, .detail.user, .detail.reserved]')" \
	'["system","ok","acme","/acme/incoming/told",1100000,"anna",3000000]'
nothing_stored() { [ "$(find "$STATE/blobs" "$STATE/uploads" -type f | wc -l)" -eq 0 ]; }
ok 'nothing of it is stored' wait_for 10 nothing_stored

# begin KBIT NAME: an upload at so many kbit/s; its client is $CLIENT.
begin() {
	ssh_options anna
	sftp -q -b - -l "$1" -P "$PORT" "${SSH_OPTIONS[@]}" anna@127.0.0.1 <<<"put $WORK/in incoming/$2" >"$WORK/slow.out" 2>&1 &
	CLIENT=$!
	own $CLIENT
}
stored_some() { [ "$(du -sb "$STATE/blobs" | cut -f 1)" -ge "$1" ]; }
empty=$(du -sb "$STATE/blobs" | cut -f 1)
begin 4000 cut
ok 'an upload by SFTP is under way' wait_for 20 stored_some $((empty + 500000))
kill -KILL $CLIENT
wait $CLIENT 2>/dev/null
ok 'it is cut off, and goes' wait_for 20 no_upload
is 'its room is free again' "$(reserved)" 0
is 'it is recorded' "$(expired | jq -r .path | tail -n 1)" /acme/incoming/cut
refuses 'reput finds nothing to go on with' sftp_as anna <<<"reput $WORK/in incoming/cut"
like 'and says so' "$OUT" 'No such file'
ok 'put begins anew' sftp_as anna <<<"put $WORK/in incoming/cut"
ok 'and it is there' sftp_as bob <<<"get /acme/incoming/cut $WORK/out"
same_file 'whole' "$WORK/out" "$WORK/in"

# --- what somebody has open -----------------------------------------------------------------

is 'two have gone by now' "$(expired_count)" 2
begin 4000 open
ok 'an upload is under way' wait_for 20 stored_some $((empty + 3500000))
kill -STOP $CLIENT
sleep 10
is 'it stays, though its client says nothing' "$(uploads)" 1
is 'none has gone' "$(expired_count)" 2
kill -CONT $CLIENT
wait $CLIENT
is 'the client goes on to the end' $? 0
ok 'and it is there' sftp_as bob <<<"get /acme/incoming/open $WORK/out2"
same_file 'whole' "$WORK/out2" "$WORK/in"

# --- too many at once ----------------------------------------------------------------------

is 'no alert so far' "$(kinds)" ''
say_limits expiry_cap 2
create one
create two
raised() { [ "$(kinds)" = expiry-cap ]; }
ok 'the third within an hour raises an alert' wait_for 20 raised
is 'and stays' "$(uploads)" 2
ok 'alerts shows it' ctl alerts
like 'with what is the matter' "$OUT" 'expiry-cap .*2 expired uploads were removed within an hour'
ok 'status has a line' ctl status
like 'that says where to look' "$OUT" 'problem: 1 alert waits for your word: see dropkeepctl alerts'
web anna "$UPLOAD" -I "${tus[@]}"
is 'as long as it waits it can be gone on with' "$STATUS $(field Upload-Offset)" '200 1000000'
id=$(ctl --json alerts | jq .id)
refuses 'another alert there is none' ctl alerts ack $((id + 1))
say_limits expiry_cap 1000
ok 'it is confirmed' ctl --json alerts ack "$id"
is 'and shown once more' "$(jq -r .kind <<<"$OUT")" expiry-cap
ok 'the others go' wait_for 20 no_upload
is 'no alert is left' "$(kinds)" ''
ok 'nothing is left to confirm' ctl alerts ack
is 'raising it is recorded' "$(ctl --json audit query --event alert.raise | jq -c '[.actor, .detail.kind]')" '["system","expiry-cap"]'
is 'and confirming it' "$(ctl --json audit query --event alert.ack | jq -c '[.actor, .detail.kind]')" "[\"operator:$(id -u)\",\"expiry-cap\"]"
is 'each upload once' "$(expired | jq -r .path | sort | tr '\n' ' ')" \
	'/acme/incoming/cut /acme/incoming/one /acme/incoming/told /acme/incoming/two '

# --- over a restart --------------------------------------------------------------------------

create three
stop_keep
run_keep
ok 'what expired while the keep was away goes, too' wait_for 20 no_upload
is 'and its room is free' "$(reserved)" 0
is 'a short absence is no alert' "$(kinds)" ''
ok 'the log verifies' ctl audit verify
ok 'and all is well' ctl check --deep
stop_keep
done_testing
