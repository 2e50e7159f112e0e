#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Ctrl-C in OpenSSH's sftp on a terminal, in put and in reput, and how its user goes on: in the
# same conversation or in another one. It ends an interrupted put by an ordinary CLOSE, which
# publishes what came (doc/SECURITY.md: CLOSE is not a promise). An interrupted reput shrinks the
# file first, to what it knows was acknowledged: from OpenSSH 10 on that may be all of it, which is
# no shrinking, and what came is published as with put.
. "${top_srcdir:-.}/tests/talk/resume-lib.sh"
need sftp ssh-keygen jq script
story_begins
LATE=0
[ "$(ssh -V 2>&1 | sed 's/^OpenSSH_\([0-9]*\).*/\1/')" -lt 10 ] || LATE=1

# sit_down: alice's sftp on a terminal of its own, at 4 MB/s; type TEXT… for her.
sit_down() {
	ssh_options alice
	rm -f "$WORK/keys"
	mkfifo "$WORK/keys"
	: >"$WORK/tty.out"
	TERM=dumb script -qfec "sftp -l 32000 -P $PORT ${SSH_OPTIONS[*]} alice@127.0.0.1" /dev/null \
		<"$WORK/keys" >"$WORK/tty.out" 2>&1 &
	adopt $!
	exec {KEYS}>"$WORK/keys"
	PROMPTS=0
	prompt_comes || bail_out 'sftp does not begin on a terminal'
}
prompts() { grep -o 'sftp> ' "$WORK/tty.out" | wc -l; }
more_prompts() { [ "$(prompts)" -gt "$PROMPTS" ]; }
prompt_comes() {
	wait_for 60 more_prompts || { flunk 'sftp prompts again' "$(tail -c 1000 "$WORK/tty.out")"; return 1; }
	PROMPTS=$(prompts)
}
type_in() { printf '%s' "$1" >&"$KEYS"; }
# Typing is echoed behind the prompt; the prompt is drawn again for some of it.
command() {
	PROMPTS=$(prompts)
	type_in "$1"$'\n'
	prompt_comes
	sleep 0.2
	PROMPTS=$(prompts)
}
get_up() {
	type_in $'bye\n'
	gone "$CLIENT"
	exec {KEYS}>&-
}

# break_off COMMAND BYTES: type it, and Ctrl-C when so much more is stored.
break_off() {
	mark
	PROMPTS=$(prompts)
	type_in "$1"$'\n'
	wait_for 30 more_stored "$2" || flunk "a good part arrives of: $1" "$(tail -c 1000 "$WORK/tty.out")"
	PROMPTS=$(prompts)
	type_in $'\003'
	prompt_comes
	wait_for 10 no_uploads
}
# broken WHAT: it is there for alice, in part.
broken() {
	SIZE=$(size_for alice incoming/file)
	[ "${SIZE:-0}" -ge 1000000 ] && [ "$SIZE" -lt "$(size_of "$WHOLE")" ]
	is "$1: alice has a part" $? 0
}

sit_down
break_off "put $WORK/in incoming/file" 1500000
broken 'put'
is 'put: published, as with any SFTP server' "$(size_for bob /acme/incoming/file)" "$SIZE"
command "reput $WORK/in incoming/file"
whole 'put, then reput in the same conversation' file

break_off "put $WORK/in incoming/file" 1500000
broken 'put again'
completes 'put, then reput in another conversation' file
get_up

half "put $WORK/in incoming/file" 1500000
cut_off
before=$(size_for alice incoming/file)
sit_down
break_off "reput $WORK/in incoming/file" 1500000
broken 'reput'
[ "$SIZE" -ge "$before" ]
is 'reput: nothing is lost by it' $? 0
[ $LATE -eq 1 ] || unfinished 'reput' file
command "reput $WORK/in incoming/file"
whole 'reput, then again in the same conversation' file

half "put $WORK/in incoming/file" 1500000
cut_off
before=$(size_for alice incoming/file)
sit_down
break_off "reput $WORK/in incoming/file" 1000000
break_off "reput $WORK/in incoming/file" 1000000
broken 'reput, twice'
[ "$SIZE" -gt "$before" ]
is 'reput, twice: each brought something' $? 0
get_up
completes 'reput, twice, then in another conversation' file

# Onto a finished file: that one stays, until the next one is meant.
ok 'a version' sftp_as alice <<<"put $WORK/short incoming/file"
sit_down
break_off "reput $WORK/in incoming/file" 1500000
broken 'onto a version'
if [ $LATE -eq 0 ]; then
	is 'onto a version: which stays for bob' "$(size_for bob /acme/incoming/file)" 3000001
fi
command "reput $WORK/in incoming/file"
get_up
whole 'onto a version, then again' file

# The window of the terminal is closed.
sit_down
mark
type_in "put $WORK/in incoming/file"$'\n'
wait_for 30 more_stored 1500000
kill -KILL "$CLIENT"
exec {KEYS}>&-
wait_for 20 no_uploads
unfinished 'window closed' file
completes 'window closed' file

story_ends
