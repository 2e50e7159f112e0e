/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/scripted_keep.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct scripted_keep scripted_keep_new(void)
{
	struct scripted_keep k = {.folder = kit_folder()};
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	CLEANUP(mem_free)
	char *text =
	    mem_printf("[daemon]\nstate = %s/state\nruntime = %s\n", k.folder.path, k.folder.path);

	kit_write(&k.folder, "d.conf", text);
	(void)snprintf(k.config, sizeof k.config, "%s/d.conf", k.folder.path);
	(void)snprintf(a.sun_path, sizeof a.sun_path, "%s/control.sock", k.folder.path);
	k.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(k.listener >= 0);
	assert_int_equal(bind(k.listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(k.listener, 4), 0);
	return k;
}

void scripted_keep_done(struct scripted_keep *k)
{
	sys_close(&k->listener);
	kit_folder_done(&k->folder);
}

static void take_command(struct scripted_keep *k, int fd)
{
	size_t used = 0;

	while (used < sizeof k->asked - 1) {
		ssize_t n = read(fd, k->asked + used, 1);
		if (n != 1 || k->asked[used] == '\n')
			break;
		used++;
	}
	k->asked[used] = '\0';
}

static void *serve(void *arg)
{
	struct scripted_keep *k = arg;
	struct pollfd p = {k->listener, POLLIN, 0};
	CLEANUP(sys_close) int fd = poll(&p, 1, 20000) == 1 ? accept(k->listener, NULL, NULL) : -1;
	size_t left = strlen(k->answer), step = k->drip ? k->drip : left;

	if (fd < 0)
		return NULL;
	take_command(k, fd);
	for (const char *at = k->answer; left;) {
		size_t n = left < step ? left : step;
		if (send(fd, at, n, MSG_NOSIGNAL) != (ssize_t)n)
			break;
		at += n;
		left -= n;
	}
	return NULL;
}

void scripted_keep_begin(struct scripted_keep *k, const char *answer, size_t drip)
{
	k->answer = answer;
	k->drip = drip;
	k->asked[0] = '\0';
	assert_int_equal(pthread_create(&k->thread, NULL, serve, k), 0);
}

void scripted_keep_end(struct scripted_keep *k)
{
	assert_int_equal(pthread_join(k->thread, NULL), 0);
}
