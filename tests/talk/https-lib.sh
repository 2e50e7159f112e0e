# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # what lib.sh sets, and what scripts ask for
#
# For conversations with curl: a daemon that serves HTTPS, tokens, and what an answer has. After
# lib.sh.

# new_https: new_keep, with $HTTPS, its port, $URL, and $CA, the certificate to be trusted.
new_https() {
	HTTPS=$(free_port) || bail_out 'no free port'
	URL=https://127.0.0.1:$HTTPS
	new_keep --https "127.0.0.1:$HTTPS" --name localhost
	set_conf https public_url "$URL"
	CA=$STATE/keys/tls/cert.pem
}
start_https() {
	new_https
	run_keep
}

# add_web_user NAME ROLE ZONES: also with a token.
add_web_user() {
	add_user "$@"
	add_token "$1"
}
# add_token NAME: which curl reads from a file.
add_token() {
	local token
	token=$(ctl token add "$1") || bail_out "cannot make a token for $1"
	printf 'Authorization: Bearer %s\n' "$token" >"$WORK/$1.header"
}

# web USER PATH CURL-ARGUMENT…: the status is in $STATUS, the answer in $WORK/body and $WORK/headers,
# what curl itself said in $OUT. A user '-' has no credentials.
web() {
	local user=$1 path=$2 credentials=()
	shift 2
	[ "$user" = - ] || credentials=(-H "@$WORK/$user.header")
	: >"$WORK/headers"
	: >"$WORK/body"
	STATUS=$(in_time curl -sS --cacert "$CA" "${credentials[@]}" -D "$WORK/headers" -o "$WORK/body" \
		-w '%{http_code}' "$@" "$URL$path" 2>"$WORK/said")
	OUT=$(<"$WORK/said")
}

# answers DESCRIPTION STATUS USER PATH CURL-ARGUMENT…
answers() {
	local what=$1 wanted=$2
	shift 2
	web "$@"
	[ "$STATUS" != "$wanted" ] || { pass "$what"; return; }
	flunk "$what" "status $STATUS, not $wanted, from: $*"$'\n'"$OUT"$'\n'"$(head -c 300 "$WORK/body" | tr -d '\0')"
}

# field NAME: of the last answer's header.
field() { tac "$WORK/headers" | sed '/^HTTP/q' | sed -n "s/^$1: *//Ip" | tr -d '\r' | head -n 1; }
problem() { jq -r '.type // ""' "$WORK/body" 2>/dev/null | sed 's/^urn:dropkeep:problem://'; }

# b64: standard input, on one line.
b64() { base64 -w 0; }
digest_of() { openssl dgst -sha256 -binary "$1" | b64; }

# --- tus ---------------------------------------------------------------------------------

tus=(-H 'Tus-Resumable: 1.0.0')
octets=(-H 'Content-Type: application/offset+octet-stream')

# path_of NAME: Upload-Metadata for incoming/NAME.
path_of() { printf 'Upload-Metadata: path %s' "$(printf '/acme/incoming/%s' "$1" | b64)"; }
# create USER NAME LENGTH CURL-ARGUMENT…: $UPLOAD
create() {
	local user=$1 name=$2 length=$3
	shift 3
	web "$user" /uploads -X POST "${tus[@]}" -H "$(path_of "$name")" -H "Upload-Length: $length" "$@"
	UPLOAD=$(field Location)
}
# patch USER OFFSET FILE CURL-ARGUMENT…
patch() {
	local user=$1 offset=$2 file=$3
	shift 3
	web "$user" "$UPLOAD" -X PATCH "${tus[@]}" "${octets[@]}" -H "Upload-Offset: $offset" --data-binary "@$file" "$@"
}
# patched DESCRIPTION STATUS, then as patch
patched() {
	local what=$1 wanted=$2
	shift 2
	patch "$@"
	[ "$STATUS" != "$wanted" ] || { pass "$what"; return; }
	flunk "$what" "status $STATUS, not $wanted"$'\n'"$(head -c 300 "$WORK/body")"
}
# offset USER: of $UPLOAD, as HEAD tells it.
offset() { web "$1" "$UPLOAD" -I "${tus[@]}"; field Upload-Offset; }
