#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Uploads that resume over HTTPS: tus 1.0 with curl and, where it is installed, with tus-js-client;
# an upload that another connection still holds; one that SFTP began, and one that it finishes.
. "${top_srcdir:-.}/tests/talk/lib.sh"
. "$top_srcdir/tests/talk/https-lib.sh"
need curl jq ssh-keygen sftp openssl
start_https
add_zone acme
add_web_user anna client acme
add_web_user eve client acme
add_web_user vera staff acme
random_file "$WORK/in" 3000000
hash=$(hash_of "$WORK/in")

same_as_sent() { # DESCRIPTION NAME FILE
	web vera "/files/acme/incoming/$2"
	same_file "$1" "$3" "$WORK/body"
}
piece() { tail -c +$(($1 + 1)) "$WORK/in" | head -c "$2" >"$WORK/piece"; }

# --- the protocol itself -------------------------------------------------------------------

answers 'OPTIONS tells what there is' 204 - /uploads -X OPTIONS
is 'the version' "$(field Tus-Version)" 1.0.0
for extension in creation creation-with-upload creation-defer-length termination checksum expiration; do
	like "$extension" ",$(field Tus-Extension)," ",$extension,"
done
answers 'a request without a version is refused' 412 anna /uploads -X POST -H "$(path_of x)" -H 'Upload-Length: 3'
is 'and told which there is' "$(field Tus-Version)" 1.0.0
answers 'another version too' 412 anna /uploads -X POST -H 'Tus-Resumable: 0.2.2' -H "$(path_of x)" -H 'Upload-Length: 3'
answers 'an upload needs a length' 400 anna /uploads -X POST "${tus[@]}" -H "$(path_of x)"
answers 'and a name' 400 anna /uploads -X POST "${tus[@]}" -H 'Upload-Length: 3'
answers 'that can be' 400 anna /uploads -X POST "${tus[@]}" -H 'Upload-Length: 3' -H "Upload-Metadata: path $(printf '/acme/incoming/../x' | b64)"
answers 'in base64' 400 anna /uploads -X POST "${tus[@]}" -H 'Upload-Length: 3' -H 'Upload-Metadata: path !!!'
answers 'a zone that one may enter' 404 anna /uploads -X POST "${tus[@]}" -H 'Upload-Length: 3' -H "Upload-Metadata: path $(printf '/globex/incoming/x' | b64)"
answers 'and a folder that one may write to' 403 anna /uploads -X POST "${tus[@]}" -H 'Upload-Length: 3' -H "Upload-Metadata: path $(printf '/acme/deliverables/x' | b64)"
create - x 3
is 'nobody begins one without credentials' "$STATUS" 401

create anna one 3000000 -H "X-Nothing: 1"
is 'an upload is begun' "$STATUS" 201
like 'it has an address' "$UPLOAD" '^/uploads/[0-9a-f]{32}$'
like 'and an end' "$(field Upload-Expires)" 'GMT$'
is 'nothing is there yet' "$(offset anna)" 0
is 'nor may that be stored' "$(field Cache-Control)" no-store
answers 'to others it does not exist' 404 eve "$UPLOAD" -I "${tus[@]}"
answers 'its file is not seen' 404 vera /files/acme/incoming/one -I
piece 0 1000000
patched 'a third' 204 anna 0 "$WORK/piece"
is 'is there' "$(field Upload-Offset)" 1000000
patched 'not twice' 409 anna 0 "$WORK/piece"
is 'as it says' "$(problem)" offset
patched 'nor from others' 404 eve 1000000 "$WORK/piece"
answers 'nor as another type' 415 anna "$UPLOAD" -X PATCH "${tus[@]}" -H 'Content-Type: text/plain' -H 'Upload-Offset: 1000000' --data-binary "@$WORK/piece"
web anna "$UPLOAD" -X PATCH "${octets[@]}" -H 'Upload-Offset: 1000000' --data-binary "@$WORK/piece"
is 'nor without a version' "$STATUS" 412
piece 1000000 1000000
sum=$(digest_of "$WORK/piece")
patched 'nor with a wrong checksum' 460 anna 1000000 "$WORK/piece" -H "Upload-Checksum: sha256 $(digest_of "$WORK/in")"
is 'nothing came along' "$(offset anna)" 1000000
patched 'nor with an unknown one' 400 anna 1000000 "$WORK/piece" -H 'Upload-Checksum: md5 1B2M2Y8AsgTpgAmY7PhCfg=='
patched 'but with a right one' 204 anna 1000000 "$WORK/piece" -H "Upload-Checksum: sha256 $sum"
answers 'anna finds it by its name' 200 anna '/uploads?path=/acme/incoming/one'
is 'as it is' "$(jq -c '[.upload, .offset, .length]' "$WORK/body")" "[\"$UPLOAD\",2000000,3000000]"
answers 'eve does not' 404 eve '/uploads?path=/acme/incoming/one'
patched 'more than was said is too much' 413 anna 2000000 "$WORK/in"
piece 2000000 1000000
web anna "$UPLOAD" -X POST -H 'X-HTTP-Method-Override: PATCH' "${tus[@]}" "${octets[@]}" -H 'Upload-Offset: 2000000' --data-binary "@$WORK/piece"
is 'the rest, by way of POST' "$STATUS" 204
is 'the whole has its hash' "$(field ETag)" "\"$hash\""
like 'and a receipt' "$(field Link)" '^</receipts/[0-9]+>; rel="receipt"$'
same_as_sent 'it is published' one "$WORK/in"
is 'the upload says that it is done' "$(offset anna)" 3000000
like 'with its receipt' "$(field Link)" receipts

# --- extensions --------------------------------------------------------------------------------

web anna /uploads -X POST "${tus[@]}" "${octets[@]}" -H "$(path_of two),mtime $(printf 1600000000 | b64)" -H 'Upload-Length: 3000000' --data-binary "@$WORK/in"
is 'creation with all of it' "$STATUS" 201
is 'ends at its end' "$(field Upload-Offset)" 3000000
same_as_sent 'and is published' two "$WORK/in"
is 'with its time' "$(date -ud "$(field Last-Modified)" +%s)" 1600000000
create anna nothing 0
is 'an upload of nothing is begun' "$STATUS" 201
answers 'and done' 200 vera /files/acme/incoming/nothing
web anna /uploads -X POST "${tus[@]}" -H "Upload-Metadata: filename $(printf named | b64)" -H 'Upload-Length: 0'
answers 'a mere file name goes to incoming/' 200 vera /files/acme/incoming/named
web anna /uploads -X POST "${tus[@]}" -H "$(path_of deferred)" -H 'Upload-Defer-Length: 1'
UPLOAD=$(field Location)
is 'a length may be said later' "$STATUS" 201
piece 0 2000000
patched 'meanwhile there is some of it' 204 anna 0 "$WORK/piece"
web anna "$UPLOAD" -I "${tus[@]}"
is 'which is told' "$(field Upload-Defer-Length)" 1
piece 2000000 1000000
patched 'then the rest' 204 anna 2000000 "$WORK/piece" -H 'Upload-Length: 3000000'
same_as_sent 'and it is published' deferred "$WORK/in"
create anna ended 3000000
piece 0 1000
patched 'an upload is begun' 204 anna 0 "$WORK/piece"
web eve "$UPLOAD" -X DELETE "${tus[@]}"
is 'others do not end it' "$STATUS" 404
web anna "$UPLOAD" -X DELETE "${tus[@]}"
is 'anna does' "$STATUS" 204
answers 'it is gone' 404 anna "$UPLOAD" -I "${tus[@]}"
answers 'and its name is free' 404 anna '/uploads?path=/acme/incoming/ended'

create anna begun 10
answers 'what was merely begun is new to PUT' 201 anna /files/acme/incoming/begun -T "$WORK/piece" -H 'If-None-Match: *'
answers 'once' 412 anna /files/acme/incoming/begun -T "$WORK/piece" -H 'If-None-Match: *'
create anna surplus 10
(head -c 10 "$WORK/in" && sleep 1 && echo more) | in_time curl -sS --cacert "$CA" -H "@$WORK/anna.header" "${tus[@]}" "${octets[@]}" \
	-H 'Upload-Offset: 0' -H 'Expect:' -X PATCH -T - -o /dev/null -w '%{http_code}' "$URL$UPLOAD" >"$WORK/said" 2>&1
is 'more than the length, in pieces, is too much' "$(<"$WORK/said")" 413
is 'all that belongs to it is there' "$(offset anna)" 10
like 'and then it is done' "$(field Link)" receipts
head -c 10 "$WORK/in" >"$WORK/piece"
same_as_sent 'and published' surplus "$WORK/piece"

# --- taken over -----------------------------------------------------------------------------------

head -c 20000000 /dev/urandom >"$WORK/large"
create anna slow 20000000
timeout 50 curl -sS --cacert "$CA" -H "@$WORK/anna.header" "${tus[@]}" "${octets[@]}" -H 'Upload-Offset: 0' -X PATCH -H 'Expect:' \
	--limit-rate 2M --data-binary "@$WORK/large" "$URL$UPLOAD" >"$WORK/slow.out" 2>&1 &
slow=$!
own $slow
sleep 2
at=$(offset anna)
[ "${at:-0}" -gt 500000 ] && pass 'a newcomer learns how far another connection is' || flunk 'a newcomer learns how far another connection is' "offset '$at'"
wait_for 10 not alive $slow && pass 'which is made to let go' || flunk 'which is made to let go'
is 'the offset is exact' "$(offset anna)" "$at"
tail -c "+$((at + 1))" "$WORK/large" >"$WORK/rest"
patched 'and the newcomer goes on' 204 anna "$at" "$WORK/rest"
same_as_sent 'to the end' slow "$WORK/large"

# --- two protocols --------------------------------------------------------------------------------

# OpenSSH's sftp, cut off in the middle.
ssh_options anna
printf 'put %s/large incoming/sftp-first\n' "$WORK" >"$WORK/batch"
sftp -q -b "$WORK/batch" -l 30000 -P "$PORT" "${SSH_OPTIONS[@]}" anna@127.0.0.1 >/dev/null 2>&1 &
slow=$!
own $slow
sleep 1.5
kill -KILL $slow
wait $slow 2>/dev/null
found() { web anna '/uploads?path=/acme/incoming/sftp-first' && [ "$STATUS" = 200 ]; }
if wait_for 10 found; then
	pass 'an upload that SFTP began is found'
	UPLOAD=$(jq -r .upload "$WORK/body")
	at=$(offset anna)
	[ "${at:-0}" -gt 0 ] && pass 'some of it is there' || flunk 'some of it is there'
	tail -c "+$((at + 1))" "$WORK/large" >"$WORK/rest"
	patched 'it is finished by HTTPS' 204 anna "$at" "$WORK/rest" -H 'Upload-Length: 20000000'
	same_as_sent 'and is whole' sftp-first "$WORK/large"
else
	flunk 'an upload that SFTP began is found' "$(<"$WORK/body")"
fi
create anna https-first 20000000
head -c 7000000 "$WORK/large" >"$WORK/piece"
patched 'an upload that HTTPS began' 204 anna 0 "$WORK/piece"
ok 'is finished by reput' sftp_as anna <<<"reput $WORK/large incoming/https-first"
same_as_sent 'and is whole' https-first "$WORK/large"

# --- tus-js-client ---------------------------------------------------------------------------------

if command -v node >/dev/null && (cd "${TUS_JS-.}" && node -e 'require.resolve("tus-js-client")') 2>/dev/null; then
	token=$(sed 's/.*Bearer //' "$WORK/anna.header")
	tus_js() { (cd "${TUS_JS-.}" && TOKEN=$token NODE_EXTRA_CA_CERTS=$CA timeout 60 node "$top_srcdir/tests/talk/tus.mjs" "$URL" "$@"); }
	ok 'tus-js-client sends' tus_js "$WORK/large" /acme/incoming/js 0
	same_as_sent 'and it is whole' js "$WORK/large"
	url=$(tus_js "$WORK/large" /acme/incoming/js-cut 6000000)
	like 'it begins, and aborts' "$url" /uploads/
	ok 'and another process goes on' tus_js "$WORK/large" /acme/incoming/js-cut 0 "$url"
	same_as_sent 'to the end' js-cut "$WORK/large"
else
	skip 'tus-js-client sends' 'node and tus-js-client are not installed (TUS_JS: the folder where they are)'
fi
ok 'the log verifies' ctl audit verify
stop_keep
done_testing
