/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile_process: stands in a gate's place, as hostile.sh puts it there. The first of a keep's
 * gates becomes the real one, real-gate beside this program; every other one does a misdeed, the
 * next one at each start, and would rather not die.
 *
 * Beside it: honest (the pid of the real gate), count (one byte for each misdeed so far), user and
 * key (a name and the key's blob, as SSH sends it), child (the pid of one that outlives its gate).
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "wire/link.h"

enum { LINK_FD = 3, LOCK_FD = 4 };

static char dir[4096]; /* where this program lies */
static uint8_t heard[LINK_MAX];

/* ---- whose turn it is ---- */

static const char *beside(const char *name)
{
	static char path[4200];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void find_dir(void)
{
	ssize_t n = readlink("/proc/self/exe", dir, sizeof dir - 1);

	if (n <= 0)
		_exit(70);
	*strrchr(dir, '/') = '\0';
}

static bool honest_lives(FILE *file)
{
	long pid = 0;

	return fscanf(file, "%ld", &pid) == 1 && pid > 0 && kill((pid_t)pid, 0) == 0;
}

/* Under a lock, since gates start side by side. */
static void become_honest(char **argv)
{
	FILE *file = fopen(beside("honest"), "a+e");

	if (!file || flock(fileno(file), LOCK_EX))
		_exit(71);
	rewind(file);
	if (honest_lives(file)) {
		(void)fclose(file);
		return;
	}
	if (ftruncate(fileno(file), 0) || fprintf(file, "%d\n", (int)getpid()) < 0 || fflush(file))
		_exit(72);
	(void)execv(beside("real-gate"), argv);
	_exit(73);
}

static unsigned count_up(void)
{
	struct stat st;
	int fd = open(beside("count"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || fstat(fd, &st) || write(fd, "x", 1) != 1)
		_exit(74);
	(void)close(fd);
	return (unsigned)st.st_size;
}

/* ---- speaking ---- */

static void send_all(struct view packet, const int *fds, unsigned count)
{
	struct pollfd p = {.fd = LINK_FD, .events = POLLOUT};

	while (link_send(LINK_FD, packet, fds, count) == E_AGAIN)
		(void)poll(&p, 1, -1);
	err_clear();
}

static void say(uint16_t verb, uint64_t subject, struct view body)
{
	static uint8_t packet[LINK_MAX];
	struct writer w = writer_of(packet, sizeof packet);
	struct frame f = {.kind = FRAME_ASK, .verb = verb, .id = verb, .subject = subject};

	frame_write(&w, &f);
	write_raw(&w, body.data, body.len);
	send_all(view_of(w.data, w.len), NULL, 0);
}

#define SAY(name, NAME, subject, ...)                                  \
	do {                                                           \
		struct ask_##name m_ = {__VA_ARGS__};                  \
		uint8_t body_[1024];                                   \
		struct writer w_ = writer_of(body_, sizeof body_);     \
		ask_##name##_write(&w_, &m_);                          \
		say(VERB_##NAME, (subject), view_of(w_.data, w_.len)); \
	} while (0)

/* The next answer; its descriptors stay open, whatever they are for. */
static struct frame hear(void)
{
	struct pollfd p = {.fd = LINK_FD, .events = POLLIN};
	struct frame f = {0};
	struct view packet;
	int fds[LINK_FDS_MAX];
	unsigned count;
	int rc;

	while ((rc = link_receive(LINK_FD, heard, sizeof heard, &packet, fds, LINK_FDS_MAX,
				  &count)) == E_AGAIN)
		(void)poll(&p, 1, -1);
	if (rc || frame_read(packet, &f))
		_exit(75);
	return f;
}

static struct frame hear_yes(void)
{
	struct frame f = hear();

	if (f.status)
		_exit(75);
	return f;
}

static void hello(void)
{
	SAY(hello, HELLO, 0, .version = WIRE_VERSION);
	(void)hear_yes();
}

static uint64_t log_in(void)
{
	struct answer_session_open m;
	struct buf user = {0}, key = {0};

	SAY(session_open, SESSION_OPEN, 0, .protocol = view_text("sftp"),
	    .peer = view_text("192.0.2.66"));
	struct frame f = hear_yes();
	if (answer_session_open_read(f.body, &m) ||
	    sys_read_file(AT_FDCWD, beside("user"), 64, &user) ||
	    sys_read_file(AT_FDCWD, beside("key"), 1024, &key))
		_exit(76);
	do { /* the user may not have been made yet */
		(void)poll(NULL, 0, 100);
		SAY(auth, AUTH, m.session, .step = AUTH_SIGNED, .user = view_buf(&user),
		    .key = view_buf(&key));
	} while (hear().status);
	buf_done(&user);
	buf_done(&key);
	return m.session;
}

_Noreturn static void stay(void)
{
	for (;;)
		(void)pause();
}

/* ---- misdeeds ---- */

static void say_rubbish(void)
{
	send_all(view_text("\1\2\3\4 this is no ask at all"), NULL, 0);
}

static void say_half(void)
{
	hello();
	say(VERB_SESSION_OPEN, 0, view_of("\0\0\0\4sf", 6));
}

static void flood(void)
{
	hello();
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t body[64];
		struct writer w = writer_of(body, sizeof body);
		ask_session_open_write(&w, &(struct ask_session_open){.peer = view_text("x")});
		say(VERB_SESSION_OPEN, 0, view_of(w.data, w.len));
	}
}

static void give_descriptors(void)
{
	static const int fds[] = {0, LINK_FD, LOCK_FD};
	uint8_t packet[LINK_HEADER];
	struct writer w = writer_of(packet, sizeof packet);

	frame_write(&w, &(struct frame){.kind = FRAME_ASK, .verb = VERB_HELLO});
	send_all(view_of(w.data, w.len), fds, 3);
}

/* The blob's descriptor is open still. */
static void publish_what_it_can_write(void)
{
	hello();
	uint64_t session = log_in();
	struct lease m;

	SAY(put_open, PUT_OPEN, session, .path = view_text("/acme/incoming/kept"),
	    .flags = PUT_CREATE, .declared = SIZE_UNKNOWN);
	struct frame f = hear_yes();
	if (lease_read(f.body, &m))
		_exit(77);
	say(VERB_PUT_STORE, m.put, view_of(NULL, 0));
	(void)hear_yes();
	SAY(put_finish, PUT_FINISH, m.put, .size = 0, .mtime_s = TIME_UNKNOWN);
}

/* A child that has the link and the state's lock; nobody sends it a signal. */
static void leave_a_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		stay();
	FILE *file = fopen(beside("child"), "we");
	if (pid < 0 || !file || fprintf(file, "%d\n", (int)pid) < 0)
		_exit(78);
	(void)fclose(file);
	say_rubbish();
}

/* Takes the sockets, then says nothing any more, nor reads. */
static void close_the_link_and_stay(void)
{
	hello();
	(void)close(LINK_FD);
}

static void do_nothing(void)
{
	hello();
}

static void (*const misdeeds[])(void) = {
    say_rubbish,
    say_half,
    flood,
    give_descriptors,
    publish_what_it_can_write,
    leave_a_child,
    close_the_link_and_stay,
};

int main(int argc, char **argv)
{
	(void)argc;
	find_dir();
	become_honest(argv);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	unsigned turn = count_up();
	if (turn < ARRAY_LEN(misdeeds))
		misdeeds[turn]();
	else
		do_nothing();
	stay();
}
