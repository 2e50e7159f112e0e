#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# small_files: durable small files per second, over the whole way from a stock sftp client to
# its CLOSE's answer: by one session, then by several at once.
#
#	TMPDIR=/var/tmp top_builddir=BUILD bench/small_files.sh [FILES] [BYTES] [SESSIONS]
#
# TMPDIR should be on a disk: what is measured is what a sync costs.
. "${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}/tests/talk/lib.sh"
need sftp ssh-keygen

files=${1:-500} bytes=${2:-10240} sessions=${3:-8}
CLIENT_SECONDS=600

start_keep
add_zone acme
add_user alice client acme

mkdir "$WORK/in"
for ((i = 0; i < files; i++)); do
	random_file "$WORK/in/$i" "$bytes"
done

# put_all FOLDER: in a session of its own, into a folder that is there.
put_all() { sftp_as alice <<<"put $WORK/in/* incoming/$1/" >/dev/null; }

# measure SESSIONS: each sends all files into a folder of its own.
measure() {
	local n=$1 i begun ended pids=()
	for ((i = 0; i < n; i++)); do
		sftp_as alice <<<"mkdir incoming/$n-$i" >/dev/null || bail_out 'no folder'
	done
	begun=$(date +%s%N)
	for ((i = 0; i < n; i++)); do
		put_all "$n-$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || flunk 'a session sends its files'
	done
	ended=$(date +%s%N)
	diag "$n at once: $((n * files)) files of $bytes bytes, $((n * files * 1000000000 / (ended - begun))) a second"
}

measure 1
measure "$sessions"
stop_keep
done_testing
