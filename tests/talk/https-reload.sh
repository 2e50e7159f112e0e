#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A certificate is replaced while the daemon serves: new connections see the new one, old ones go
# on; a pair that is none is refused, said, and the old one stays. And what link an enrolment gets
# of which certificate.
. "${top_srcdir:-.}/tests/talk/lib.sh"
. "$top_srcdir/tests/talk/https-lib.sh"
need curl openssl jq

# pair NAME SUBJECT: $WORK/NAME.crt and $WORK/NAME.pem, its key
pair() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "$2" \
		-addext 'subjectAltName=IP:127.0.0.1' -keyout "$WORK/$1.pem" -out "$WORK/$1.crt" 2>/dev/null ||
		bail_out "cannot make the certificate $1"
}
# install CERTIFICATE KEY: where the daemon looks, in place.
install() { cp "$WORK/$1" "$WORK/tls/cert.pem" && cp "$WORK/$2" "$WORK/tls/key.pem"; }
subject() { sed -n 's/^subject=.*CN *= *//p'; }
# seen: whose certificates new connections see. Each gate has some of them.
seen() {
	for _ in {1..12}; do
		in_time openssl s_client -connect "127.0.0.1:$HTTPS" </dev/null 2>/dev/null | openssl x509 -noout -subject
	done | subject | sort -u | tr '\n' ' '
}
reloads() { ctl --json audit query --event configuration.reload | grep -c .; }

mkdir "$WORK/tls"
pair one '/CN=one.example.org'
pair two '/CN=two.example.org'
pair three '/CN=three.example.org'
pair wild '/CN=*.example.org'
pair person '/CN=Anna Example'
pair nameless '/O=Example'
pair address '/CN=2001:db8::1'
install one.crt one.pem

HTTPS=$(free_port) || bail_out 'no free port'
URL=https://127.0.0.1:$HTTPS
new_keep --https "127.0.0.1:$HTTPS" --name localhost
set_conf https certificate "$WORK/tls/cert.pem"
set_conf https private_key "$WORK/tls/key.pem"
set_conf daemon gates 2
run_keep
CA=$WORK/tls/cert.pem
add_zone acme
add_web_user anna client acme
is 'the certificate is the one that was configured' "$(seen)" 'one.example.org '

# --- a connection that stays open all the while ------------------------------------------

mkfifo "$WORK/old.in"
openssl s_client -quiet -connect "127.0.0.1:$HTTPS" <"$WORK/old.in" >"$WORK/old.out" 2>"$WORK/old.err" &
own $!
exec 9>"$WORK/old.in"
heard=0
answered() { [ "$(grep -o 'HTTP/1\.1 200' "$WORK/old.out" | grep -c .)" -ge "$1" ]; } # bodies have no newline
goes_on() {
	heard=$((heard + 1))
	printf 'GET /account HTTP/1.1\r\nHost: h\r\n%s\r\n\r\n' "$(<"$WORK/anna.header")" >&9
	wait_for 10 answered $heard
}
ok 'a connection is opened' goes_on
like 'under the first certificate' "$(<"$WORK/old.err")" 'one\.example\.org'

# --- a new pair --------------------------------------------------------------------------

install two.crt two.pem
is 'a new pair counts for nobody before the reload' "$(seen)" 'one.example.org '
ok 'the operator reloads' ctl reload
is 'new connections see it, at all gates' "$(seen)" 'two.example.org '
answers 'and it is good for requests' 200 anna /account
ok 'the old connection goes on' goes_on
is 'the reload is recorded' "$(reloads)" 1

# --- pairs that are none -----------------------------------------------------------------

# stays DESCRIPTION SENTENCE: the reload is refused with it, and nothing has changed.
stays() {
	local status=0
	said_by ctl reload || status=$?
	is "$1: the reload is refused" "$status" 78
	like '... and why is said' "$OUT" "$2"
	is '... the old pair stays' "$(seen)" 'two.example.org '
}
install three.crt two.pem
stays 'a certificate with the key of another' "key is not that of the certificate .*certificate = $WORK/tls/cert.pem"
install two.pem two.pem
stays 'a key where the certificate should be' "there is no certificate in it \(PEM\) .*certificate = $WORK/tls/cert.pem"
install three.crt three.crt
stays 'a certificate where the key should be' 'private key is none \(PEM\)'
install three.crt three.pem
head -c 200 "$WORK/three.pem" >"$WORK/tls/key.pem"
stays 'half a key' 'private key is none \(PEM\)'
install three.crt three.pem
openssl ec -in "$WORK/three.pem" -aes128 -passout pass:secret -out "$WORK/tls/key.pem" 2>/dev/null
stays 'a key with a pass phrase' 'or has a pass phrase'
install three.crt three.pem
: >"$WORK/tls/cert.pem"
stays 'an empty certificate' 'there is no certificate in it'
openssl genrsa -out "$WORK/short.pem" 1024 2>/dev/null &&
	openssl req -x509 -key "$WORK/short.pem" -days 2 -subj /CN=short -out "$WORK/short.crt" 2>/dev/null &&
	install short.crt short.pem && stays 'a short RSA key' 'less than 2048 bits'
install three.crt three.pem
rm "$WORK/tls/key.pem"
status=0
said_by ctl reload || status=$?
is 'a key that is not there: the reload is refused' "$status" 66
like '... and it is named' "$OUT" "$WORK/tls/key.pem"
is '... the old pair stays' "$(seen)" 'two.example.org '

install three.crt two.pem
kill -HUP "$KEEP_PID"
ok 'SIGHUP says it in the log' wait_for 10 grep -q 'the configuration stays as it was.*key is not that of the certificate' "$LOG"
is '... and the old pair stays' "$(seen)" 'two.example.org '
is 'no refused reload was recorded as one' "$(reloads)" 1
ok 'the old connection goes on' goes_on

# Other settings do not come into force beside a pair that is none.
set_conf https idle 61s
stays 'with another setting' 'key is not that of the certificate'
install three.crt three.pem
ok 'a good pair is taken after all these' ctl --json reload
is 'with what else had changed' "$(jq -c .changed <<<"$OUT")" '["https.idle"]'
is 'and new connections see it' "$(seen)" 'three.example.org '
ok 'the old connection goes on' goes_on

set_conf https certificate "$WORK/one.crt"
set_conf https private_key "$WORK/one.pem"
ok 'the pair may be in other places' ctl --json reload
is 'as the answer says' "$(jq -c '.changed | sort' <<<"$OUT")" '["https.certificate","https.private_key"]'
is 'and new connections see it' "$(seen)" 'one.example.org '
ok 'the old connection goes on to its end' goes_on
exec 9>&-

# --- enrolment links ---------------------------------------------------------------------

pin_of() { openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64 -w 0 | tr '+/' '-_' | tr -d =; }
ok 'a link is made of the certificate' ctl user enroll anna
like 'with its name, the port, and the pin' "$OUT" "^https://one\.example\.org:$HTTPS/enroll/[A-Za-z0-9_-]{32}#spki=$(pin_of "$WORK/one.crt")\$"

# no_link DESCRIPTION NAME SENTENCE
no_link() {
	set_conf https certificate "$WORK/$2.crt"
	set_conf https private_key "$WORK/$2.pem"
	ok "$1 is served" ctl reload
	status=0
	said_by ctl user enroll anna || status=$?
	is '... but no link is made of it' "$status" 78
	like '... and it is said what to do' "$OUT" "set \[https\] public_url: $3"
}
enrolments() { ctl --json audit query --event user.enroll | grep -c .; }
no_link 'a certificate for many hosts' wild "the certificate's name, '\*\.example\.org', is that of no one host"
no_link 'one of a person' person "the certificate's name, 'Anna Example', is that of no one host"
no_link 'one without a name' nameless 'the certificate has no common name'
is 'and no code was made' "$(enrolments)" 1
set_conf https certificate "$WORK/address.crt"
set_conf https private_key "$WORK/address.pem"
ok 'one of an IPv6 address' ctl reload
ok '... makes a link' ctl user enroll anna
like '... with brackets' "$OUT" "^https://\[2001:db8::1\]:$HTTPS/enroll/"
set_conf https certificate "$WORK/wild.crt"
set_conf https private_key "$WORK/wild.pem"
set_conf https public_url 'https://drop.example.org/'
ok 'with a public_url' ctl reload
ok '... the name does not matter' ctl user enroll anna --from 127.0.0.0/8
like '... and the link has that' "$OUT" "^https://drop\.example\.org/enroll/[A-Za-z0-9_-]{32}#spki=$(pin_of "$WORK/wild.crt")\$"

stop_keep
done_testing
