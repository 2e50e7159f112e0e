#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Who gets in, and with what: keys that count and keys that do not, other ways to log in, too
# many tries, too much silence; what a session may ask for; which algorithms are spoken; what
# becomes of a connection in which somebody has turned a bit.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need ssh sftp ssh-keygen jq

new_keep
echo 'Mind the gap.' >"$WORK/banner"
set_conf sftp banner_file "$WORK/banner"
run_keep
add_zone acme
add_user alice client acme
add_user bob staff acme
random_file "$WORK/in" 3M

# with_key KEY [OPTION…]: alice comes with that key; the client speaks up. A client may die of
# SIGPIPE when its ssh is refused.
with_key() {
	local key=$1 status=0
	shift
	ssh_options alice
	SSH_OPTIONS[3]=$WORK/$key.key
	in_time sftp -b - -P "$PORT" "$@" "${SSH_OPTIONS[@]}" alice@127.0.0.1 <<<pwd || status=$?
	[ $status -ne 141 ] || status=1
	return $status
}
last() { ctl --json audit query --event "$1" --limit 1 | jq -r "$2"; }

# --- keys --------------------------------------------------------------------------------

ok 'her key lets alice in' with_key alice
is 'as the log has it' "$(last session.open '.actor + " " + .method + " " + .key')" \
	"alice publickey $(ssh-keygen -lf "$WORK/alice.key.pub" | cut -d ' ' -f 2)"
make_key stranger
refuses 'another one does not' with_key stranger
like '... and is told what would' "$OUT" 'Permission denied \(publickey\)'
wrong_key=$OUT
is 'the log has it' "$(last auth.fail .outcome)" refused
ssh_options stranger
refuses 'nobody of that name' in_time sftp -b - -P "$PORT" "${SSH_OPTIONS[@]}" stranger@127.0.0.1 <<<pwd
is 'is told the same' "${OUT//stranger/alice}" "$wrong_key"

for kind in 'rsa 3072' 'ecdsa 256' 'ecdsa 521'; do
	read -r type bits <<<"$kind"
	ssh-keygen -q -t "$type" -b "$bits" -N '' -f "$WORK/$type$bits.key"
	ctl key add alice "$WORK/$type$bits.key.pub" >"$WORK/add.out" 2>&1
	ok "a key of another kind: $kind" with_key "$type$bits"
done
for how in rsa-sha2-256 rsa-sha2-512; do
	ok "with $how" with_key rsa3072 -o PubkeyAcceptedAlgorithms="$how"
done
refuses 'not with SHA-1' with_key rsa3072 -o PubkeyAcceptedAlgorithms=ssh-rsa
ssh-keygen -q -t rsa -b 1024 -N '' -f "$WORK/short.key" &&
	refuses 'no short RSA key is taken' ctl key add alice "$WORK/short.key.pub"

make_key early
make_key late
ctl key add alice "$WORK/early.key.pub" --expires 1h >"$WORK/add.out"
ctl key add alice "$WORK/late.key.pub" --expires 1s >"$WORK/add.out"
ok 'a key for an hour' with_key early
wait_for 20 not with_key late
refuses 'one for a second counts no longer' with_key late

# --- other ways in -----------------------------------------------------------------------

# by METHOD: nothing is typed; what the server offers shows in the refusal.
by() {
	ssh_options alice
	SSH_ASKPASS=/bin/false SSH_ASKPASS_REQUIRE=force in_time sftp -b - -P "$PORT" \
		-o BatchMode=no -o NumberOfPasswordPrompts=1 -o PreferredAuthentications="$1" \
		"${SSH_OPTIONS[@]/publickey/$1}" alice@127.0.0.1 <<<pwd
}
for method in password keyboard-interactive hostbased none; do
	refuses "no login by $method" by "$method"
	like '... but by key' "$OUT" '\(publickey\)'
done

# --- too much ----------------------------------------------------------------------------

many=()
for i in 1 2 3 4 5 6 7 8; do
	make_key "wrong$i"
	many+=(-i "$WORK/wrong$i.key")
done
# with_keys OPTION…: these keys in this order, then alice's own.
with_keys() {
	in_time sftp -b - -P "$PORT" -F none "$@" -i "$WORK/alice.key" -o IdentitiesOnly=yes \
		-o IdentityAgent=none -o BatchMode=yes -o StrictHostKeyChecking=yes \
		-o UserKnownHostsFile="$WORK/known_hosts" alice@127.0.0.1 <<<pwd
}
ok 'three wrong keys, then the right one' with_keys "${many[@]:0:6}"
refuses 'eight wrong ones are too many' with_keys "${many[@]}"
like '... and it is said' "$OUT" '[Tt]oo many|[Dd]isconnect'
is 'the log has counted them' "$(last auth.fail '.detail | "\(.user) \(.tries)"')" 'alice 6'

closed_after() { # by the other side, in seconds; says how long it took
	local begun=$SECONDS
	exec 8<>"/dev/tcp/127.0.0.1/$PORT" || return 1
	[ -z "${1-}" ] || printf '%s' "$1" >&8
	timeout 20 cat <&8 >"$WORK/heard"
	echo $((SECONDS - begun))
	exec 8>&-
}
# Three seconds are enough for those who say nothing; the others may need more.
set_conf limits login_grace 3s
ok 'there is less time to log in' ctl reload
took=$(closed_after)
[ "$took" -ge 2 ] && [ "$took" -le 10 ]
is "a silent connection is ended (after $took s)" $? 0
like 'after we have said who we are' "$(tr -d '\0' <"$WORK/heard")" '^SSH-2\.0-'
took=$(closed_after $'SSH-2.0-silent\r\n')
[ "$took" -ge 2 ] && [ "$took" -le 10 ]
is "one that only says hello as well (after $took s)" $? 0
took=$(closed_after $'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
[ "$took" -le 10 ]
is "one that means somebody else (after $took s)" $? 0
head -c 300000 /dev/urandom >"$WORK/noise"
noise() { timeout 10 bash -c 'exec 8<>"/dev/tcp/127.0.0.1/$1"; cat "$2" >&8 2>/dev/null; cat <&8 >/dev/null' - "$PORT" "$WORK/noise"; true; }
ok 'one of noise alone' noise
(printf 'SSH-2.0-noise\r\n'; cat "$WORK/noise") >"$WORK/noise2"
mv "$WORK/noise2" "$WORK/noise"
ok 'and one of noise behind a greeting' noise
set_conf limits login_grace 60s
ok 'there is more time again' ctl reload

together() {
	local i pids=()
	for i in {1..30}; do
		with_key alice >"$WORK/together$i" 2>&1 & pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || return 1
	done
}
ok 'thirty at once get in' together

# --- what a session may not ask for ------------------------------------------------------

noted() { like "... and is recorded" "$(ctl audit query --event session.note --limit 2)" "$1"; }
refuses 'no shell' ssh_as alice -T
noted 'a shell was asked for'
refuses 'no command' ssh_as alice id
noted 'a command was to be run'
refuses 'no terminal' ssh_as alice -tt
noted 'a terminal was asked for'
refuses 'no subsystem but sftp' ssh_as alice -s shell
noted 'subsystem'
refuses 'no way through' ssh_as alice -W "127.0.0.1:$PORT"
noted 'forwarding|connection'
refuses 'no way back' ssh_as alice -N -o ExitOnForwardFailure=yes -R 0:127.0.0.1:22
noted 'forwarding was asked for'
local_port=$(free_port)
ssh_options alice
ssh -N -L "127.0.0.1:$local_port:127.0.0.1:$PORT" -p "$PORT" "${SSH_OPTIONS[@]}" alice@127.0.0.1 2>"$WORK/forward" &
forward=$!
own $forward
listens() { (exec 8<>"/dev/tcp/127.0.0.1/$local_port") 2>/dev/null; }
wait_for 10 listens
is 'what is sent through a port comes to nothing' \
	"$(timeout 10 bash -c 'exec 8<>"/dev/tcp/127.0.0.1/$1"; cat <&8' - "$local_port" 2>/dev/null)" ''
end_pid $forward 5
ok 'agent and X11 are passed over, sftp goes on' with_key alice -o ForwardAgent=yes -o ForwardX11=yes
ssh_options alice
ok 'the banner is shown' with_key alice -o LogLevel=INFO
like '... as it is' "$OUT" 'Mind the gap\.'

# --- algorithms --------------------------------------------------------------------------

ssh_options alice
in_time ssh -vv -p "$PORT" "${SSH_OPTIONS[@]}" -o LogLevel=DEBUG2 alice@127.0.0.1 true >"$WORK/vv" 2>&1
offer=$(sed -n '/peer server KEXINIT proposal/,/reserved/p' "$WORK/vv")
like 'an offer is made' "$offer" 'KEX algorithms: [a-z]'
like 'of strict key exchange' "$offer" 'kex-strict-s-v00@openssh\.com'
unlike 'of nothing weak' "$offer" 'cbc|arcfour|sha1|md5|umac-64|group1-|group-exchange|ssh-dss|ssh-rsa|zlib|(: |,)none,'
like 'and no compression' "$offer" 'compression ctos: none'

# offered LIST NAME: whether the name is in that list of the offer.
offered() { sed -n "s/^debug2: $1: //p" <<<"$offer" | head -n 1 | tr ',' '\n' | grep -qx -- "$2"; }

# Whatever the client knows, one at a time: what is offered works, what is not does not, and
# that is all that is weak.
weak='cbc|sha1|md5|group-exchange|group1-|arcfour|umac-64'
each() { # WHAT OPTION LIST
	local name
	for name in $(ssh -Q "$1"); do
		if offered "$3" "$name"; then
			ok "$1: $name" with_key alice -o "$2=$name"
			unlike '... which is not weak' "$name" "$weak"
		elif [[ $name =~ $weak ]]; then
			refuses "$1: not $name" with_key alice -o "$2=$name"
		fi
	done
}
each kex KexAlgorithms 'KEX algorithms'
each cipher Ciphers 'ciphers ctos'
# MACs count only where the cipher does not authenticate by itself.
for mac in $(ssh -Q mac); do
	if offered 'MACs ctos' "$mac"; then
		ok "mac: $mac" with_key alice -o Ciphers=aes256-ctr -o MACs="$mac"
		like '... of the better kind' "$mac" 'sha2-.*-etm'
	elif [[ $mac =~ $weak ]]; then
		refuses "mac: not $mac" with_key alice -o Ciphers=aes256-ctr -o MACs="$mac"
	fi
done

# Data under each cipher, with new keys all the time.
for cipher in $(sed -n 's/.*ciphers ctos: //p' <<<"$offer" | tr ',' ' '); do
	rm -f "$WORK/out"
	ok "there with $cipher, and new keys every half megabyte" \
		sftp_as alice -o Ciphers="$cipher" -o RekeyLimit=512K <<<"put $WORK/in incoming/file"
	ok "and here with it" \
		sftp_as bob -o Ciphers="$cipher" -o RekeyLimit=512K <<<"get /acme/incoming/file $WORK/out"
	same_file 'and it is the same' "$WORK/out" "$WORK/in"
done

# --- in transit --------------------------------------------------------------------------

# A middleman who turns one bit of what the client sends, some way into its upload.
cat >"$WORK/middle.py" <<'EOF'
import os, select, socket, sys
port, at = int(sys.argv[1]), int(sys.argv[2])
l = socket.socket()
l.bind(("127.0.0.1", 0))
l.listen(1)
print(l.getsockname()[1], flush=True)
c = l.accept()[0]
s = socket.create_connection(("127.0.0.1", port))
seen = 0
while True:
    for x in select.select([c, s], [], [])[0]:
        data = bytearray(x.recv(65536))
        if not data:
            sys.exit(0)
        if x is c:
            if seen <= at < seen + len(data):
                data[at - seen] ^= 1
            seen += len(data)
        (s if x is c else c).sendall(data)
EOF
by_way_of_middle() {
	local status=0
	ssh_options alice
	in_time sftp -b - -P "$middle" -o Ciphers="$cipher" -o UserKnownHostsFile="$WORK/middle_hosts" \
		"${SSH_OPTIONS[@]}" alice@127.0.0.1 <<<"put $WORK/in incoming/turned" || status=$?
	[ $status -ne 141 ] || status=1
	return $status
}
if python -c '' 2>/dev/null; then
	for cipher in aes256-gcm@openssh.com aes128-gcm@openssh.com chacha20-poly1305@openssh.com aes256-ctr; do
		for at in 500000 500001 1234567; do
			said=$WORK/middle-$cipher-$at
			/usr/bin/python3 "$WORK/middle.py" "$PORT" $at >"$said" 2>"$said.err" &
			own $!
			wait_for 10 test -s "$said"
			middle=$(<"$said")
			sed "s/:$PORT /:$middle /" "$WORK/known_hosts" >"$WORK/middle_hosts"
			refuses "a bit turned at $at, under $cipher: the connection ends" by_way_of_middle
		done
		is 'and nothing came of it' \
			"$(ctl --json audit query --event upload.complete | jq -r .path | grep -c turned)" 0
	done
else
	skip 'a bit turned in transit' 'python3 is not installed'
fi
stop_keep

done_testing
