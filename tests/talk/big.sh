#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A large file, there and back, by SFTP and by HTTPS: 2 GiB, or 20 GiB with DROPKEEP_BIG=1. The gates'
# memory does not grow with it. Disks are smaller: the source is a sparse file.
. "${top_srcdir:-.}/tests/talk/lib.sh"
. "$top_srcdir/tests/talk/https-lib.sh"
need sftp ssh-keygen jq curl

LIMIT_KIB=$((64 * 1024))
SIZE=$((2 * 1024))
[ -z "${DROPKEEP_BIG-}" ] || SIZE=$((20 * 1024))
# Sanitizers take many times the memory and the time: there, how it goes is what matters.
if [ -n "${ASAN_OPTIONS-}" ]; then
	LIMIT_KIB=0
	SIZE=$((SIZE / 8))
fi
CLIENT_SECONDS=$((60 + SIZE / 2))

free=$(($(stat -f -c '%a * %S' "${TMPDIR:-/tmp}") / 1024 / 1024))
[ "$free" -gt $((SIZE * 2 + 1024)) ] || skip_all "$free MiB of disk are too few for a file of $SIZE MiB"

start_https
add_zone acme
add_web_user alice client acme
add_web_user bob staff acme

truncate -s "${SIZE}M" "$WORK/in"
for ((at = 0; at < SIZE; at += 128)); do
	head -c 1M /dev/urandom | dd of="$WORK/in" bs=1M seek=$at conv=notrunc status=none
done
head -c 12345 /dev/urandom >>"$WORK/in"
hash=$(hash_of "$WORK/in")

# modest WHAT: no gate has ever had more memory than it may.
modest() {
	local pid peak
	for pid in $(gate_pids); do
		peak=$(rss_peak_kib "$pid")
		if [ "$LIMIT_KIB" -eq 0 ]; then
			skip "$1: the memory of gate $pid" 'sanitizers have another idea of it'
		elif [ "$peak" -lt "$LIMIT_KIB" ]; then
			pass "$1: a gate never had more than $peak KiB"
		else
			flunk "$1: a gate had $peak KiB"
		fi
	done
}

begun=$SECONDS
ok "alice sends $SIZE MiB" sftp_as alice <<<"put $WORK/in incoming/big"
diag "in $((SECONDS - begun)) s"
modest 'after that'
is 'all of it has come' \
	"$(sftp_as bob <<<'ls -ln /acme/incoming/big' | awk 'END { print $5 }')" "$(size_of "$WORK/in")"
is 'and the keep knows its hash' \
	"$(ctl --json audit query --event upload.complete | jq -r .sha256)" "$hash"

begun=$SECONDS
ok 'bob fetches it' sftp_as bob <<<"get /acme/incoming/big $WORK/out"
diag "in $((SECONDS - begun)) s"
is 'and it is the same' "$(hash_of "$WORK/out")" "$hash"
rm "$WORK/out"
modest 'after that'
few_blobs() { [ "$(du -sm "$STATE/blobs" | cut -f 1)" -lt 10 ]; }
gone() {
	ok "$1: it is removed" sftp_as alice <<<'rm incoming/big'
	ok "$1: and its room is free again" wait_for 60 few_blobs
}
gone SFTP

begun=$SECONDS
answers "alice sends $SIZE MiB by HTTPS" 201 alice /files/acme/incoming/big -T "$WORK/in"
diag "in $((SECONDS - begun)) s"
is 'the answer has its hash' "$(field ETag)" "\"$hash\""
modest 'after that'
begun=$SECONDS
fetched=$(in_time curl -sS --cacert "$CA" -H "@$WORK/bob.header" "$URL/files/acme/incoming/big" | sha256sum)
diag "in $((SECONDS - begun)) s"
is 'what bob gets is the same' "${fetched%% *}" "$hash"
modest 'after that'
gone HTTPS
stop_keep

done_testing
