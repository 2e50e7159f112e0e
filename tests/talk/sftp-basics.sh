#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# OpenSSH's sftp does a day's work: looks around, sends, lists, moves, removes; staff fetch what
# came and answer. Sizes around a chunk's border; then transfers again and again, also side by
# side and through one gate, since a lost wake-up shows itself now and then only.
. "${top_srcdir:-.}/tests/talk/lib.sh"
need sftp ssh-keygen jq

start_keep
add_zone acme
add_zone other
add_user alice client acme
add_user bob staff acme,other

# --- looking around ----------------------------------------------------------------------

ok 'alice enters' sftp_as alice <<<pwd
like 'and starts in her only zone' "$OUT" 'Remote working directory: /acme$'
ok 'she lists it' sftp_as alice <<<'ls -l'
like 'where modes do not show what she may write' "$OUT" 'drwx------ .* deliverables'
is 'and that is all there is' "$(grep -c '^[d-]' <<<"$OUT")" 2
ok 'the root shows her zone' sftp_as alice <<<'ls -1 /'
is 'and no other' "$(tail -n +2 <<<"$OUT")" /acme
ok 'bob, who has two zones, starts above them' sftp_as bob <<<$'pwd\nls -1'
is 'and sees both' "$(tail -n 2 <<<"$OUT")" $'acme\nother'
ok 'she changes folders, up and down' sftp_as alice <<<$'cd incoming\ncd ..\ncd ./incoming/.\ncd /acme//incoming\npwd'
like 'and is where she went' "$OUT" $'directory: /acme/incoming$'
refuses 'a folder that is not there' sftp_as alice <<<'cd incoming/nowhere'
ok 'df answers' sftp_as alice <<<$'df\ndf -h incoming\ndf -i /'

# --- what is sent arrives ----------------------------------------------------------------

send() { sftp_as alice <<<"put $1 \"incoming/$2\""; }
fetch() { sftp_as bob <<<"get /acme/incoming/$1 $2"; }

for size in 0 1 65535 65536 65537 131072 10M; do
	random_file "$WORK/in" "$size"
	rm -f "$WORK/out"
	ok "alice sends $size bytes" send "$WORK/in" "file-$size"
	ok "bob fetches them ($size)" fetch "file-$size" "$WORK/out"
	same_file "and they are the same ($size)" "$WORK/out" "$WORK/in"
done

ok 'bob lists what came' sftp_as bob <<<'ls -l /acme/incoming'
like 'with size and sender' "$OUT" 'alice +alice +10485760 .* /acme/incoming/file-10M'
is 'everything that was sent' "$(grep -c '/acme/incoming/file-' <<<"$OUT")" 7
ok 'alice sees her own' sftp_as alice <<<'ls -1 incoming'
is 'all of it' "$(grep -c '^incoming/file-' <<<"$OUT")" 7
ok 'sizes and owners as numbers, too' sftp_as alice <<<$'ls -ln incoming\nls -lt incoming\nls -lS incoming'

random_file "$WORK/in" 100k
ok 'a file replaces its older self' send "$WORK/in" file-0
ok 'bob fetches it' fetch file-0 "$WORK/out"
same_file 'as it is now' "$WORK/out" "$WORK/in"

# --- names, times, modes -----------------------------------------------------------------

touch -d 2001-02-03T04:05:06Z "$WORK/in"
ok 'put -p keeps the time' sftp_as alice <<<"put -p $WORK/in incoming/dated"
ok 'get -p gives it back' sftp_as bob <<<"get -p /acme/incoming/dated $WORK/dated"
is 'to the second' "$(stat -c %Y "$WORK/dated")" "$(stat -c %Y "$WORK/in")"
same_file 'and the content' "$WORK/dated" "$WORK/in"
ok 'chmod, chown and chgrp are taken, as clients send them' \
	sftp_as alice <<<$'chmod 640 incoming/dated\nchown 7 incoming/dated\nchgrp 7 incoming/dated'

ok 'a folder is made' sftp_as alice <<<'mkdir incoming/letters'
refuses 'but once' sftp_as alice <<<'mkdir incoming/letters'
ok 'a file moves into it' sftp_as alice <<<'rename incoming/dated "incoming/letters/märz 2001.pdf"'
ok 'which bob sees by its new name' sftp_as bob <<<'ls -1 /acme/incoming/letters'
is 'and only there' "$(tail -n 1 <<<"$OUT")" '/acme/incoming/letters/märz 2001.pdf'
ok 'and fetches' sftp_as bob <<<"get \"/acme/incoming/letters/märz 2001.pdf\" $WORK/out"
same_file 'and it is the same' "$WORK/out" "$WORK/in"
refuses 'the old name is gone' fetch dated "$WORK/none"
refuses 'a folder with something in it stays' sftp_as alice <<<'rmdir incoming/letters'
refuses 'rmdir takes no file' sftp_as alice <<<'rmdir incoming/file-1'
refuses 'no folder moves into itself' sftp_as alice <<<'rename incoming/letters incoming/letters/deeper'
ok 'a file is removed' sftp_as alice <<<'rm "incoming/letters/märz 2001.pdf"'
ok 'then the folder' sftp_as alice <<<'rmdir incoming/letters'
refuses 'what is removed is gone' sftp_as bob <<<'ls /acme/incoming/letters'
refuses 'and cannot be removed again' sftp_as alice <<<'rm incoming/letters'
ok 'rename puts aside what is in the way, if it is hers' \
	sftp_as alice <<<'rename incoming/file-65535 incoming/file-65536'
ok 'bob fetches the survivor' fetch file-65536 "$WORK/out"
is 'which is the one that moved' "$(size_of "$WORK/out")" 65535

long=$(printf 'n%.0s' {1..255})
ok 'a name of 255 bytes' send "$WORK/in" "$long"
refuses 'none of 256' send "$WORK/in" "${long}n"
refuses 'no control characters' send "$WORK/in" $'a\tb'
refuses 'nothing but UTF-8' send "$WORK/in" $'a\xff'
refuses 'no symbolic links' sftp_as alice <<<'ln -s incoming/file-1 incoming/link'
refuses 'no hard links' sftp_as alice <<<'ln incoming/file-1 incoming/link'

# --- trees -------------------------------------------------------------------------------

mkdir -p "$WORK/tree/a/b" "$WORK/tree/empty"
random_file "$WORK/tree/one" 1
random_file "$WORK/tree/a/two" 70000
random_file "$WORK/tree/a/b/three" 1M
ok 'bob answers with a tree' sftp_as bob <<<"put -pr $WORK/tree /acme/deliverables/"
ok 'alice fetches it' sftp_as alice <<<"get -pr deliverables/tree $WORK/back"
ok 'and it is the same' diff -r "$WORK/tree" "$WORK/back"
is 'and hers to change' "$(find "$WORK/back" ! -perm -u=w)" ''

for i in {1..300}; do
	echo "put $WORK/in incoming/many/f$i"
done >"$WORK/many"
ok 'three hundred files in one go' sftp_as alice < <(echo 'mkdir incoming/many'; cat "$WORK/many")
ok 'and a listing of pages' sftp_as bob <<<'ls -1 /acme/incoming/many'
is 'which misses none' "$(grep -c '^/acme/incoming/many/f' <<<"$OUT")" 300
is 'and has none twice' "$(grep '^/acme/incoming/many/f' <<<"$OUT" | sort -u | wc -l)" 300

# --- again and again ---------------------------------------------------------------------

# to_and_fro WHO TIMES: several sizes, whole or in small requests; says what went wrong.
to_and_fro() {
	local i size options
	for ((i = 0; i < $2; i++)); do
		size=$((RANDOM * 900 + i))
		options=()
		case $((i % 4)) in
		1) options=(-B 1000 -R 100) && size=$((size % 3000000)) ;;
		2) options=(-R 1) && size=$((size % 3000000)) ;;
		3) options=(-B 260000 -R 128) ;;
		esac
		random_file "$WORK/$1.in" "$size"
		sftp_as alice "${options[@]}" <<<"put $WORK/$1.in incoming/loop-$1" ||
			{ echo "put $i of $size bytes: $?"; return 1; }
		sftp_as bob "${options[@]}" <<<"get /acme/incoming/loop-$1 $WORK/$1.out" ||
			{ echo "get $i of $size bytes: $?"; return 1; }
		cmp "$WORK/$1.in" "$WORK/$1.out" || return 1
	done
}

ok 'one client, many transfers' to_and_fro solo 12
two_at_once() {
	to_and_fro "$1-a" 10 & local a=$!
	to_and_fro "$1-b" 10 & local b=$!
	wait $a || { wait $b; return 1; }
	wait $b
}
ok 'two clients side by side' two_at_once gates
stop_keep

set_conf daemon gates 1
run_keep
is 'one gate only' "$(gate_pids | wc -l)" 1
ok 'two clients side by side through it' two_at_once gate
stop_keep 'and it stops cleanly as well'

done_testing
