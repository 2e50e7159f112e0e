#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Files over HTTPS with curl: sent and fetched, in parts and on conditions, listed, renamed, removed;
# and who may not.
. "${top_srcdir:-.}/tests/talk/lib.sh"
. "$top_srcdir/tests/talk/https-lib.sh"
need curl jq ssh-keygen sftp openssl
start_https
add_zone acme
add_zone globex
add_web_user anna client acme
add_web_user vera staff acme,globex
add_web_user bob client globex
random_file "$WORK/in" 3000001
: >"$WORK/empty-one"
hash=$(hash_of "$WORK/in")
inbox=/files/acme/incoming

# --- the server ----------------------------------------------------------------------------

certificate=$(openssl x509 -noout -fingerprint -sha256 -in "$CA" | sed 's/.*=//')
key=$(openssl x509 -noout -pubkey -in "$CA" | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | b64)
host=$(ssh-keygen -lf "$STATE/keys/ssh_host_ed25519_key.pub" | cut -d ' ' -f 2)
ok 'init has said the fingerprint of the certificate' grep -qF "SHA-256 $certificate" "$WORK/init.out"
ok 'and of its key' grep -qF "sha256//$key " "$WORK/init.out"
ok 'by which curl knows the server' curl -sSk --pinnedpubkey "sha256//$key" -o "$WORK/body" "$URL/healthz"
ok 'and of the SSH host key' grep -qF " $host " "$WORK/init.out"

# --- who ---------------------------------------------------------------------------------

answers 'anybody may ask whether it is well' 200 - /healthz
answers 'nobody else may ask without credentials' 401 - /files/
is 'and is told how' "$(field WWW-Authenticate)" 'Bearer realm="dropkeep"'
echo 'Authorization: Bearer dk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' >"$WORK/wrong.header"
answers 'nor with a wrong token' 401 wrong /files/
echo 'Authorization: Basic YW5uYTphbm5h' >"$WORK/basic.header"
web basic /files/
like 'nor with a password' "$STATUS" '^40[01]$'
answers 'anna sees her account' 200 anna /account
is 'by her token' "$(jq -r '.user + " " + .method' "$WORK/body")" 'anna token'
unlike 'no answer says which server it is' "$(<"$WORK/headers")" '[Ss]erver:'

ctl token add anna --expires 4s | sed 's/^/Authorization: Bearer /' >"$WORK/short.header"
in_time curl -sS --cacert "$CA" -H "@$WORK/short.header" --rate 10/m -w '%{http_code} %{num_connects}\n' -o /dev/null "$URL/account" \
	-o /dev/null "$URL/account" >"$WORK/said" 2>&1
is 'a token that expires counts no longer, on the same connection either' "$(tr '\n' ' ' <"$WORK/said")" '200 1 401 0 '

# --- sent ----------------------------------------------------------------------------------

answers 'a file is sent' 201 anna "$inbox/plan%20%C3%A4.pdf" -T "$WORK/in"
is 'its ETag is its SHA-256' "$(field ETag)" "\"$hash\""
is 'and so is its Repr-Digest' "$(field Repr-Digest)" "sha-256=:$(digest_of "$WORK/in"):"
like 'there is a receipt' "$(field Link)" '^</receipts/[0-9]+>; rel="receipt"$'
receipt=$(field Link | sed 's/^<\([^>]*\)>.*/\1/')
answers 'which anna may have' 200 anna "$receipt"
like 'and which is one' "$(head -n 1 "$WORK/body")" '^c2sp.org/tlog-proof@v1$'
answers 'but not bob' 404 bob "$receipt"
answers 'the same again replaces it' 204 anna "$inbox/plan%20%C3%A4.pdf" -T "$WORK/in"
answers 'a chunked body is as good' 201 anna "$inbox/chunked" -T - <"$WORK/in"
answers 'an empty one too' 201 anna "$inbox/empty" -T /dev/null
answers 'a digest that agrees' 201 anna "$inbox/digest" -T "$WORK/in" -H "Repr-Digest: sha-512=:AAAA:, sha-256=:$(digest_of "$WORK/in"):"
answers 'a digest that does not' 400 anna "$inbox/lie" -T "$WORK/in" -H "Repr-Digest: sha-256=:$(digest_of /dev/null):"
is 'is told' "$(problem)" digest-mismatch
answers 'and nothing is left of it' 404 anna "$inbox/lie" -I
answers 'not over what is there' 412 anna "$inbox/digest" -T "$WORK/in" -H 'If-None-Match: *'
answers 'only over that version' 204 anna "$inbox/digest" -T "$WORK/in" -H "If-Match: \"$hash\""
answers 'and over no other' 412 anna "$inbox/digest" -T "$WORK/in" -H "If-Match: \"${hash//[0-9]/0}\""
answers 'a part of a file is no file' 400 anna "$inbox/part" -T "$WORK/in" -H 'Content-Range: bytes 0-3/9'
answers 'what is encoded is not taken' 415 anna "$inbox/encoded" -T "$WORK/in" -H 'Content-Encoding: gzip'
answers 'nothing goes straight into a zone' 403 anna /files/acme/plan -T "$WORK/in"
answers 'nor to deliverables, from a client' 403 anna /files/acme/deliverables/x -T "$WORK/in"
answers 'nor into another zone' 404 anna /files/globex/incoming/x -T "$WORK/in"
for bad in a/../../b %2e%2e/x a%2fb a%00b '%ff' 'a%0ab' ./x a//b; do
	answers "no file is called '$bad'" 400 anna "$inbox/$bad" --path-as-is -T "$WORK/in"
done
head -c 40000000 /dev/zero >"$WORK/large"
ctl zone set globex --quota 1M >/dev/null
begun=$SECONDS
answers 'what does not fit is refused' 507 bob /files/globex/incoming/large -T "$WORK/large"
is 'by its name' "$(problem)" quota
is 'before any of it was sent' "$(grep -c '100 Continue' "$WORK/headers")" 0

# --- fetched -------------------------------------------------------------------------------

file="$inbox/plan%20%C3%A4.pdf"
answers 'vera fetches it' 200 vera "$file"
same_file 'the same' "$WORK/in" "$WORK/body"
is 'with a type' "$(field Content-Type)" application/pdf
like 'as a file' "$(field Content-Disposition)" "^attachment;.*filename\\*=UTF-8''plan%20%C3%A4.pdf"
is 'that browsers do not guess about' "$(field X-Content-Type-Options)" nosniff
answers 'HEAD says all but the content' 200 vera "$file" -I
is 'its length' "$(field Content-Length)" 3000001
is 'its hash' "$(field ETag)" "\"$hash\""
part() { # DESCRIPTION RANGE FIRST LENGTH CONTENT-RANGE
	answers "$1" 206 vera "$file" -H "Range: bytes=$2"
	is 'as it says' "$(field Content-Range)" "bytes $5/3000001"
	cmp -s "$WORK/body" <(tail -c +$(($3 + 1)) "$WORK/in" | head -c "$4") && pass 'and it is that' || flunk 'and it is that'
}
part 'a part' 1000-70000 1000 69001 1000-70000
part 'the rest' 2999990- 2999990 11 2999990-3000000
part 'the end' -5 2999996 5 2999996-3000000
part 'a byte' 65536-65536 65536 1 65536-65536
part 'more than there is' 3000000-9999999 3000000 1 3000000-3000000
answers 'nothing behind the end' 416 vera "$file" -H 'Range: bytes=3000001-'
is 'which is there' "$(field Content-Range)" 'bytes */3000001'
answers 'several parts are the whole' 200 vera "$file" -H 'Range: bytes=0-1,5-6'
answers 'other units too' 200 vera "$file" -H 'Range: lines=1-2'
answers 'If-Range with the version' 206 vera "$file" -H 'Range: bytes=0-9' -H "If-Range: \"$hash\""
answers 'If-Range with another' 200 vera "$file" -H 'Range: bytes=0-9' -H "If-Range: \"${hash//[0-9]/0}\""
answers 'what one has is not sent' 304 vera "$file" -H "If-None-Match: W/\"x\", \"$hash\""
answers 'another version is not sent for it' 412 vera "$file" -H 'If-Match: "x"'
answers 'nor what is older' 304 vera "$file" -H "If-Modified-Since: $(date -uRd +1hour | sed 's/+0000/GMT/')"
head -c 1000000 "$WORK/in" >"$WORK/resumed"
in_time curl -sS --cacert "$CA" -H "@$WORK/vera.header" -C - -o "$WORK/resumed" "$URL$file"
same_file 'curl -C - goes on' "$WORK/in" "$WORK/resumed"
answers 'an empty file' 200 vera "$inbox/empty"
is 'is empty' "$(size_of "$WORK/body")" 0
in_time curl -sS --cacert "$CA" -H "@$WORK/vera.header" "$URL$inbox/empty" -o "$WORK/one" "$URL$file" -o "$WORK/two"
same_file 'and the connection goes on behind it' "$WORK/in" "$WORK/two"
answers 'bob sees nothing of it' 404 bob "$file"
answers 'what is not there' 404 vera "$inbox/none"
answers 'a folder without its slash is pointed to' 308 vera "$inbox"
is 'with it' "$(field Location)" "$inbox/"

# --- listed, renamed, removed ------------------------------------------------------------------

answers 'zones are listed' 200 anna /files/
is 'hers alone' "$(jq -c '[.entries[].name]' "$WORK/body")" '["acme"]'
answers 'a folder is listed' 200 anna "$inbox/"
is 'with hashes' "$(jq -r '.entries[] | select(.name == "plan ä.pdf") | .sha256' "$WORK/body")" "$hash"
answers 'in words too' 200 anna "$inbox/" -H 'Accept: text/plain'
like 'a name on each line' "$(<"$WORK/body")" 'plan ä\.pdf'
answers 'a folder is made' 201 anna "$inbox/sub/?mkdir" -X POST
answers 'once' 409 anna "$inbox/sub/?mkdir" -X POST
answers 'a file is moved' 204 anna "$inbox/chunked" -X MOVE -H "Destination: $inbox/sub/moved"
answers 'but not over another' 412 anna "$inbox/digest" -X MOVE -H "Destination: $inbox/sub/moved" -H 'Overwrite: F'
answers 'nor to a zone that she cannot see' 404 anna "$inbox/digest" -X MOVE -H 'Destination: /files/globex/incoming/x'
answers 'vera may write in two zones' 201 vera /files/acme/deliverables/answer -T "$WORK/in"
answers 'but moves nothing from one to the other' 403 vera /files/acme/deliverables/answer -X MOVE -H 'Destination: /files/globex/deliverables/x'
answers 'nor to another host' 400 anna "$inbox/digest" -X MOVE -H 'Destination: https://elsewhere.example/files/acme/incoming/x'
answers 'a folder that is not empty stays' 409 anna "$inbox/sub/" -X DELETE
is 'for that reason' "$(problem)" not-empty
answers 'a file goes' 204 anna "$inbox/sub/moved" -X DELETE
answers 'once' 404 anna "$inbox/sub/moved" -X DELETE
answers 'and then the folder' 204 anna "$inbox/sub/" -X DELETE
answers 'vera removes nothing of anna' 403 vera "$file" -X DELETE
answers 'another method is none' 405 anna "$file" -X PATCH
like 'but these' "$(field Allow)" 'GET.*PUT|PUT.*GET'
answers 'and one that is nowhere used, unsupported' 501 anna "$file" -X PROPFIND
answers 'a folder is no file' 409 anna "$inbox/" -X PUT --data-binary "@$WORK/empty-one"
answers 'other paths are not there' 404 anna /etc/passwd

# --- long names --------------------------------------------------------------------------------

# Names of 240 bytes, 720 in a URL: of three levels the URL is longer than what a line of text is.
long=$(printf 'ä%.0s' {1..120}) long_url=$(printf '%%C3%%A4%.0s' {1..120})
answers 'a folder with a long name is made' 201 anna "$inbox/$long_url/?mkdir" -X POST
answers 'and one in it' 201 anna "$inbox/$long_url/$long_url/?mkdir" -X POST
deep=$inbox/$long_url/$long_url/$long_url
answers 'a file with a long path is sent' 201 anna "$deep" -T "$WORK/empty-one"
is 'and where it is' "$(field Location)" "$deep"
answers 'the last of the folders is made' 201 anna "$deep-1/?mkdir" -X POST
is 'and where that is' "$(field Location)" "$deep-1/"
answers 'without its slash it is pointed to' 308 anna "$deep-1"
web anna /uploads -X POST -H 'Tus-Resumable: 1.0.0' -H 'Upload-Length: 3' \
	-H "Upload-Metadata: path $(printf '/acme/incoming/%s/%s/%s-2' "$long" "$long" "$long" | b64)"
is 'an upload there is begun' "$STATUS" 201
answers 'and says how far it is' 200 anna "$(field Location)" -I -H 'Tus-Resumable: 1.0.0'

# --- with SFTP ---------------------------------------------------------------------------------

ok 'anna fetches over SFTP what came over HTTPS' sftp_as anna <<<"ls -l incoming/digest"
printf 'put %s/in incoming/by-sftp\n' "$WORK" | sftp_as anna >/dev/null
answers 'and the other way round' 200 vera "$inbox/by-sftp"
same_file 'it is the same' "$WORK/in" "$WORK/body"
[ $((SECONDS - begun)) -lt 60 ] && pass 'none of it took long' || flunk 'none of it took long'
ok 'the log verifies' ctl audit verify
stop_keep
done_testing
