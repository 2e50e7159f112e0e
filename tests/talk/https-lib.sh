# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # what lib.sh sets, and what scripts ask for
#
# For conversations with curl: a daemon that serves HTTPS, tokens, and what an answer has. After
# lib.sh.

# start_https: $URL, and $CA, the certificate to be trusted.
start_https() {
	HTTPS=$(free_port) || bail_out 'no free port'
	URL=https://127.0.0.1:$HTTPS
	new_keep --https "127.0.0.1:$HTTPS" --name localhost
	set_conf https public_url "$URL"
	run_keep
	CA=$STATE/keys/tls/cert.pem
}

# add_web_user NAME ROLE ZONES: also with a token, which curl reads from a file.
add_web_user() {
	local token
	add_user "$@"
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
