# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A small disk: a tmpfs that only this script sees, in a mount namespace of its own. Sourced
# before tests/talk/lib.sh; the script is run again inside.
#
#	. "${top_srcdir:-.}/tests/fault/disk-lib.sh"
#	on_small_disk 64m "$@"
#	. "$top_srcdir/tests/talk/lib.sh"
#	use_small_disk                # before new_keep: the state directory is there
#
# Set then: SMALL_DISK, where it is mounted.

top_srcdir=${top_srcdir:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}

# As root, a mount namespace is enough; others get a user namespace in which they may mount,
# and inside it another one in which they are themselves again.
on_small_disk() {
	[ -z "${SMALL_DISK-}" ] || ! mountpoint -q "$SMALL_DISK" || return 0
	local dir status=0 uid gid
	# shellcheck source=tests/tap.sh
	. "$top_srcdir/tests/tap.sh"
	dir=$(mktemp -d "${TMPDIR:-/tmp}/dk-disk.XXXXXX") || bail_out 'no temporary directory'
	chmod 711 "$dir"
	uid=$(id -u) gid=$(id -g)
	local mount=(mount -t tmpfs -o "size=$1,mode=755" tmpfs "$dir")
	shift
	export SMALL_DISK=$dir
	if [ "$uid" -eq 0 ] && unshare -m "${mount[@]}" 2>/dev/null; then
		# shellcheck disable=SC2016
		unshare -m bash -c '"${@:2:$1}" && exec "${@:$1 + 2}"' - "${#mount[@]}" \
			"${mount[@]}" bash "$0" "$@" || status=$?
	elif [ "$uid" -ne 0 ] && unshare -Urm "${mount[@]}" 2>/dev/null &&
		unshare -Ur unshare -U --map-user="$uid" --map-group="$gid" true 2>/dev/null; then
		# shellcheck disable=SC2016
		unshare -Urm bash -c '"${@:2:$1}" && exec "${@:$1 + 2}"' - "${#mount[@]}" \
			"${mount[@]}" unshare -U --map-user="$uid" --map-group="$gid" bash "$0" "$@" || status=$?
	else
		rmdir "$dir"
		skip_all 'no mount namespace is to be had here'
	fi
	rmdir "$dir"
	exit $status
}

use_small_disk() {
	{ mkdir "$SMALL_DISK/state" && ln -s "$SMALL_DISK/state" "$WORK/state"; } ||
		bail_out 'no folder on the small disk'
}

# Another program fills the disk to its last byte; and gives all of it back.
fill_disk() { head -c 1T /dev/zero >>"${SMALL_DISK:?}/filler" 2>/dev/null; }
clear_disk() { rm -f "${SMALL_DISK:?}/filler"; }
disk_free() { df --output=avail -B1 "$SMALL_DISK" | tail -n 1 | tr -d ' '; }
