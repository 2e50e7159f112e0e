#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Credentials that are good from some networks alone: keys, certificates, tokens and enrolment
# codes, from 127.0.0.1 and from 127.0.0.2, which are different places on any loopback.
. "${top_srcdir:-.}/tests/talk/lib.sh"
. "$top_srcdir/tests/talk/https-lib.sh"
need curl openssl jq sftp

start_https
add_zone acme
add_user anna client acme
add_user bob client acme
last() { ctl --json audit query --event auth.fail --limit 1 | jq -r "$1"; }

# --- keys ---------------------------------------------------------------------------------

make_key home
ok 'a key for one network' ctl key add anna "$WORK/home.key.pub" --from 127.0.0.2/32 --from 192.0.2.0/24,2001:DB8::/32
like 'is shown with it' "$OUT" 'FROM .*127\.0\.0\.2/32, 192\.0\.2\.0/24, 2001:db8::/32'
# from ADDRESS KEY: anna comes from there with that key.
from() {
	local status=0
	ssh_options anna
	SSH_OPTIONS[3]=$WORK/$2.key
	in_time sftp -b - -P "$PORT" -o BindAddress="$1" "${SSH_OPTIONS[@]}" anna@127.0.0.1 <<<pwd || status=$?
	[ $status -ne 141 ] || status=1
	return $status
}
ok 'it lets anna in from there' from 127.0.0.2 home
refuses 'not from elsewhere' from 127.0.0.1 home
elsewhere=$OUT
is 'the log says why' "$(last '"\(.reason) \(.outcome) \(.source) \(.detail.user) \(.detail.key)"')" \
	"network refused 127.0.0.1 anna $(ssh-keygen -lf "$WORK/home.key.pub" | cut -d ' ' -f 2)"
make_key stranger
refuses 'a key that nobody knows' from 127.0.0.1 stranger
is 'is told the same' "$OUT" "$elsewhere"
is 'and has another reason' "$(last .reason)" 'authentication failed'
ok 'her key without networks is good from both' from 127.0.0.1 anna
ok '... and there' from 127.0.0.2 anna

# --- tokens and certificates --------------------------------------------------------------

token=$(ctl token add anna --from 127.0.0.2/31)
printf 'Authorization: Bearer %s\n' "$token" >"$WORK/anna.header"
printf 'Authorization: Bearer %s\n' "$(tr 'a-y' 'b-z' <<<"${token#dk1_}" | sed 's/^/dk1_/')" >"$WORK/nobody.header"
answers 'a token is good from its network' 200 anna /account --interface 127.0.0.2
answers '... from all of it' 200 anna /account --interface 127.0.0.3
answers 'not from elsewhere' 401 anna /account --interface 127.0.0.1
grep -vi '^date:' "$WORK/headers" >"$WORK/headers.elsewhere"
cp "$WORK/body" "$WORK/body.elsewhere"
is 'the log says why' "$(last '"\(.reason) \(.source) \(.detail.user) \(.protocol)"')" 'network 127.0.0.1 anna https'
answers 'a token that nobody has' 401 nobody /account --interface 127.0.0.1
is 'is told the same' "$(<"$WORK/body")" "$(<"$WORK/body.elsewhere")"
is '... to the letter' "$(grep -vi '^date:' "$WORK/headers")" "$(<"$WORK/headers.elsewhere")"

certificate() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
		-keyout "$WORK/$1.pem" -out "$WORK/$1.crt" 2>/dev/null
}
shown() { printf -- '--cert %s --key %s' "$WORK/$1.crt" "$WORK/$1.pem"; }
certificate laptop
ok 'a certificate for one network' ctl cert add anna "$WORK/laptop.crt" --from 127.0.0.2/32
# shellcheck disable=SC2046 # words of it
answers 'it is good from there' 200 - /account $(shown laptop) --interface 127.0.0.2
# shellcheck disable=SC2046
answers 'and from nowhere else' 401 - /account $(shown laptop) --interface 127.0.0.1
is 'the log says why' "$(last .reason)" network

# --- enrolment ----------------------------------------------------------------------------

certificate phone
url=$(ctl user enroll bob --from 127.0.0.2/32)
path=/enroll/${url#*/enroll/}
path=${path%#*}
# shellcheck disable=SC2046
answers 'a code is not good from elsewhere' 404 - "$path" -X POST $(shown phone) --interface 127.0.0.1
cp "$WORK/body" "$WORK/body.elsewhere"
is 'the log says why' "$(last '"\(.reason) \(.detail.user)"')" 'network bob'
# shellcheck disable=SC2046
answers 'a code that nobody has made' 404 - /enroll/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA -X POST $(shown phone)
is 'is told the same' "$(<"$WORK/body")" "$(<"$WORK/body.elsewhere")"
# shellcheck disable=SC2046
answers 'it is good from its network, still' 200 - "$path" -X POST $(shown phone) --interface 127.0.0.2
is 'the record is by the user, from there' \
	"$(ctl --json audit query --event credential.add --limit 1 | jq -r '"\(.actor) \(.method) \(.source) \(.detail.from)"')" \
	'bob code 127.0.0.2 ["127.0.0.2/32"]'
# shellcheck disable=SC2046
answers 'what it made is good from there' 200 - /account $(shown phone) --interface 127.0.0.2
# shellcheck disable=SC2046
answers 'and from nowhere else' 401 - /account $(shown phone) --interface 127.0.0.1

# --- what the operator sees ---------------------------------------------------------------

is 'credentials are listed with their networks' \
	"$(ctl --json credential list anna | jq -c '[.kind, .from]' | sort | tr '\n' ' ')" \
	'["certificate",["127.0.0.2/32"]] ["ssh-key",["127.0.0.2/32","192.0.2.0/24","2001:db8::/32"]] ["ssh-key",[]] ["token",["127.0.0.2/31"]] '
like 'as a user is' "$(ctl user show anna)" 'token .*127\.0\.0\.2/31'
is '... and in JSON' "$(ctl --json user show bob | jq -c '.credentials | map(.from) | sort')" '[[],["127.0.0.2/32"]]'
# wrong SENTENCE ARGUMENT…
wrong() {
	local sentence=$1
	shift
	refuses "refused: $*" ctl "$@"
	like '... and it says what to do' "$OUT" "$sentence"
}
before=$(ctl credential list | grep -c .)
wrong "'127\.0\.0\.1/8' is an address within a network: write 127\.0\.0\.0/8" token add anna --from 127.0.0.1/8
wrong 'write 2001:db8::/32' token add anna --from 10.0.0.0/8,2001:db8::1/32
wrong 'this address alone is 10\.0\.0\.0/32' key add anna "$WORK/stranger.key.pub" --from 10.0.0.0
wrong 'write 10\.0\.0\.0/8' cert add anna "$WORK/phone.crt" --from ::ffff:10.0.0.0/104
wrong 'is no network in numbers: write it like 192\.0\.2\.0/24' user enroll anna --from office.example.org
wrong 'more than 16 networks' token add anna --from "$(printf '10.%d.0.0/16,' {1..17} | sed 's/,$//')"
wrong 'an item is empty' token add anna --from 10.0.0.0/8,
is 'none of them has added anything' "$(ctl credential list | grep -c .)" "$before"
ok 'nothing is wrong with what is stored' ctl check
ok 'the log verifies' ctl audit verify
stop_keep
done_testing
