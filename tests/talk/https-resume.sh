#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Uploads over HTTPS that are cut off: the client killed, the gates killed, the keep killed, in PUT
# and in PATCH; taken over by a newcomer from a connection that is half dead, over one protocol or
# two. The offset that HEAD tells is one to go on from, what an answer has acknowledged is never
# lost, and no counter is used twice. With curl, sftp, and dropkeep push.
. "${top_srcdir:-.}/tests/talk/resume-lib.sh"
. "$top_srcdir/tests/talk/https-lib.sh"
. "$top_srcdir/tests/talk/client-lib.sh"
need curl jq ssh-keygen sftp
GATES_MAY_DIE=1
story_begins new_https
add_token alice
add_token bob
start_relay
SIZE=$(size_of "$WHOLE")
# By way of the relay, which has the keep's certificate.
RELAY_URL=https://127.0.0.1:$RELAY_HTTPS

# curl_begin CURL-ARGUMENT…: alice's curl in the background; its process is $CLIENT. It takes four
# seconds for all of it, so that somebody can look at it meanwhile.
curl_begin() {
	curl -sS --cacert "$CA" -H "@$WORK/alice.header" --limit-rate 2M -o "$WORK/answer" "$@" >"$WORK/client.out" 2>&1 &
	adopt $!
}
begin_put() { curl_begin -T "$WHOLE" "$URL/files/acme/incoming/$1"; }
begin_patch() { # OFFSET: with all that is behind it
	tail -c +$(($1 + 1)) "$WHOLE" >"$WORK/behind"
	curl_begin -X PATCH "${tus[@]}" "${octets[@]}" -H "Upload-Offset: $1" -T "$WORK/behind" "$URL$UPLOAD"
}

# arrives BYTES: so much has come since mark.
arrives() {
	wait_for 30 more_stored "$1" || flunk 'a good part arrives' "$(<"$WORK/client.out")"
	alive "$CLIENT" || flunk 'the client is at work' "$(<"$WORK/client.out" head -c 300 "$WORK/answer")"
}
# durable NAME: somebody who looks on is told a size of it, $KNOWN.
is_told() { KNOWN=$(size_for alice "incoming/$1") && [ "${KNOWN:-0}" -gt 0 ]; }
durable() { wait_for 20 is_told "$1" || flunk "a size is told of $1" "$(<"$WORK/client.out")"; }

# find_upload NAME: $UPLOAD, as it is found by its path.
find_upload() {
	web alice "/uploads?path=/acme/incoming/$1"
	UPLOAD=$(jq -r .upload "$WORK/body")
	[ "$STATUS" = 200 ]
}
# true_offset WHAT NAME AT-LEAST: HEAD says how far it is, the same each time, and as SFTP sees it; in
# $AT.
true_offset() {
	AT=$(offset alice)
	[ "${AT:-0}" -ge "$3" ] && [ "$AT" -lt "$SIZE" ]
	is "$1: the offset is at least $3" "$?" 0 || diag "it is '$AT'"
	is "$1: and the same again" "$(offset alice)" "$AT"
	is "$1: by SFTP too" "$(size_for alice "incoming/$2")" "$AT"
	answers "$1: nobody else sees it" 404 bob "/files/acme/incoming/$2"
}
# finishes WHAT NAME [CURL-ARGUMENT…]: from $AT on, and it is whole.
finishes() {
	local what=$1 name=$2
	shift 2
	tail -c +$((AT + 1)) "$WHOLE" >"$WORK/behind"
	patched "$what: alice goes on" 204 alice "$AT" "$WORK/behind" "$@"
	is "$what: the answer has its hash" "$(field ETag)" "\"$HASH\""
	whole "$what" "$name"
}
HASH=$(hash_of "$WHOLE")

# --- killed ------------------------------------------------------------------------------------

kill_client() { kill -KILL "$CLIENT"; }
let_go() { wait_for 20 no_uploads; }
KNOWN=0
for how in client gates keep; do
	for method in PUT PATCH; do
		what="$method, $how killed"
		mark
		if [ $method = PUT ]; then
			begin_put file
		else
			create alice file "$SIZE"
			begin_patch 0
		fi
		arrives 1000000
		case $how in
		client) kill_client && let_go && KNOWN=900000 ;;
		gates) durable file && kill_gates ;;
		keep) durable file && crashes ;;
		esac
		gone "$CLIENT"
		ok "$what: the upload is found" find_upload file
		true_offset "$what" file "$KNOWN"
		finishes "$what" file
	done
done

# --- what was acknowledged ---------------------------------------------------------------------

# acknowledged NAME SIZE…: an upload with so many bytes more by each of some PATCHes, $ACKED in all;
# no multiples of anything.
acknowledged() {
	local name=$1 size
	shift
	create alice "$name" "$SIZE"
	ACKED=0
	for size in "$@"; do
		tail -c +$((ACKED + 1)) "$WHOLE" | head -c "$size" >"$WORK/behind"
		patched "$size bytes are acknowledged" 204 alice "$ACKED" "$WORK/behind"
		ACKED=$((ACKED + size))
		is 'as the answer says' "$(field Upload-Offset)" "$ACKED"
	done
}

# kept WHAT: what HEAD tells is no less than that.
kept() {
	AT=$(offset alice)
	[ "${AT:-0}" -ge "$ACKED" ]
	is "$1: nothing that was acknowledged is lost" $? 0 || diag "$ACKED acknowledged, then '$AT'"
}

acknowledged file 1000001 1 65535 3
crashes
AT=$(offset alice)
is 'acknowledged, keep killed: nothing is lost' "$AT" "$ACKED"
kill_gates
is 'and gates killed: nothing is lost' "$(offset alice)" "$ACKED"
finishes 'acknowledged, then two crashes' file

# half_patch OFFSET FILE: a PATCH with what is in the file, and more that never comes.
half_patch() {
	exec timeout 30 /usr/bin/python3 -c '
import socket, ssl, sys
port, ca, field, upload, offset, body = sys.argv[1:]
tls = ssl.create_default_context(cafile=ca).wrap_socket(
    socket.create_connection(("127.0.0.1", int(port))), server_hostname="localhost")
head = ["PATCH " + upload + " HTTP/1.1", "Host: localhost", open(field).read().strip(), "Tus-Resumable: 1.0.0",
        "Content-Type: application/offset+octet-stream", "Upload-Offset: " + offset, "Content-Length: 1000000"]
tls.sendall("\r\n".join(head + ["", ""]).encode() + open(body, "rb").read())
tls.recv(1000)
' "$HTTPS" "$CA" "$WORK/alice.header" "$UPLOAD" "$1" "$2"
}
for how in gates keep; do
	# With much of the next one, and with so little that it makes no whole chunk.
	for more in 1000000 100; do
		what="acknowledged, then $how killed in the next PATCH ($more bytes)"
		acknowledged file 1000001 70000
		mark
		if [ $more -gt 100 ]; then
			begin_patch "$ACKED"
			arrives "$more"
		else
			tail -c +$((ACKED + 1)) "$WHOLE" | head -c "$more" >"$WORK/behind"
			half_patch "$ACKED" "$WORK/behind" >"$WORK/client.out" 2>&1 &
			adopt $!
			wait_for 10 not no_uploads
			sleep 0.3
		fi
		if [ $how = gates ]; then kill_gates; else crashes; fi
		gone "$CLIENT"
		kept "$what"
		true_offset "$what" file 1
		finishes "$what" file
	done
done

# --- taken over from a connection that is half dead ----------------------------------------------

# soon WHAT COMMAND…: within much less than the five seconds that a gate has to let go.
soon() {
	local what=$1 began=${EPOCHREALTIME/./}
	shift
	ok "$what" "$@"
	[ $((${EPOCHREALTIME/./} - began)) -lt 4000000 ]
	is "$what: at once" $? 0
}
head_tells() { AT=$(offset alice) && [ "${AT:-0}" -ge "$1" ]; }
# silence COMMAND…: begin it by way of the relay, and pull the cable when it has sent 3 MB.
silence() {
	relay after 3000000 freeze
	PORT=$RELAY URL=$RELAY_URL "$@"
	relay_acts
}
# Its end is not heard of, either.
forget() {
	kill_client
	gone "$CLIENT"
	relay reset
}

acknowledged file 1000001
silence begin_patch "$ACKED"
soon 'HTTPS, then HTTPS: a newcomer is told' head_tells "$ACKED"
finishes 'HTTPS, then HTTPS' file
forget

# What comes late of the first one is not written into what the second one made of it.
create alice file "$SIZE"
silence begin_patch 0
soon 'HTTPS, then HTTPS, thawed: a newcomer is told' head_tells 1
mark
begin_patch "$AT"
arrives 500000
SECOND=$CLIENT
relay thaw
sleep 1
kill -KILL "$SECOND" || flunk "the second one is at work"
gone "$SECOND"
let_go
true_offset 'HTTPS, then HTTPS, thawed' file "$AT"
finishes 'HTTPS, then HTTPS, thawed' file
relay reset

silence begin "put $WHOLE incoming/file" 400000
soon 'SFTP, then HTTPS: the upload is found' find_upload file
soon 'SFTP, then HTTPS: a newcomer is told' head_tells 1
finishes 'SFTP, then HTTPS' file -H "Upload-Length: $SIZE"
forget

acknowledged file 1000001
silence begin_patch "$ACKED"
looks_told() {
	local told
	told=$(size_for alice incoming/file)
	[ "${told:-0}" -ge "$ACKED" ]
	is "$1" $? 0 || diag "$ACKED acknowledged, then '$told'"
}
looks_told 'HTTPS, then SFTP: who looks is told no less than was acknowledged'
soon 'HTTPS, then SFTP: alice goes on' sftp_as alice <<<"reput $WHOLE incoming/file"
whole 'HTTPS, then SFTP' file
forget

silence begin_put file
soon 'PUT, then SFTP: alice goes on' sftp_as alice <<<"reput $WHOLE incoming/file"
whole 'PUT, then SFTP' file
forget

# --- dropkeep push -------------------------------------------------------------------------------

url=$(ctl user enroll alice)
ok 'alice has the client too' drop_as alice enroll "$url"
random_file "$WORK/large" 24M
WHOLE=$WORK/large
mark
drop_begin alice --json push --limit 6M "$WHOLE" acme:incoming/file
CLIENT=$CLIENT_PID
arrives 3000000
durable file
kill_gates
arrives 9000000
crashes
drop_end
is 'push goes on when gates and keep are killed' "$CLIENT_STATUS" 0
like 'where it was' "$(<"$WORK/begun.out")" '"resumed":true'
whole 'push, gates and keep killed' file

mark
drop_begin alice push --limit 6M "$WHOLE" acme:incoming/file
CLIENT=$CLIENT_PID
arrives 3000000
kill_client
drop_end
let_go
crashes
ok 'push is killed, and the keep: the same command goes on' drop_as alice --json push "$WHOLE" acme:incoming/file
like 'where it was' "$OUT" '"resumed":true'
whole 'push and keep killed' file

story_ends
