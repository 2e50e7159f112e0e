/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl/talk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sys.h"

struct talk {
	int fd;
	int64_t until_ms; /* monotonic; TALK_FOR_EVER */
	struct buf in;
	size_t searched; /* of `in`, without a newline */
};

static void talk_done(struct talk *t)
{
	sys_close(&t->fd);
	buf_done(&t->in);
}

static int wait_for(struct talk *t, short events)
{
	for (;;) {
		int64_t left = t->until_ms < 0 ? -1 : t->until_ms - clock_mono_ms();
		if (t->until_ms >= 0 && left < 0)
			left = 0;
		struct pollfd p = {t->fd, events, 0};
		int n = poll(&p, 1, (int)left);
		if (n > 0)
			return 0;
		if (n == 0)
			return fail(E_AGAIN, "the keep does not answer in time");
		if (errno != EINTR)
			return fail_errno(E_IO, "poll");
	}
}

static int connect_error(const char *runtime)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
		return fail(TALK_UNAVAILABLE,
			    "nobody listens on %s/control.sock: start dropkeepd, or name the "
			    "configuration of the one that runs with -c FILE",
			    runtime);
	case EACCES:
	case EPERM:
		return fail(E_DENIED,
			    "%s/control.sock: permission denied (be root, or dropkeepd's user)",
			    runtime);
	case EAGAIN:
		return fail(E_AGAIN, "%s/control.sock: the keep is busy", runtime);
	default:
		return fail_errno(E_IO, "connect to %s/control.sock", runtime);
	}
}

/* A socket's path has 107 bytes; by way of the folder's descriptor the folder may have more. */
static int talk_connect(struct talk *t, const char *runtime)
{
	CLEANUP(sys_close) int dir = open(runtime, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (dir < 0)
		return connect_error(runtime);
	(void)snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/control.sock", dir);
	t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->fd < 0)
		return fail_errno(E_IO, "make a socket");
	if (connect(t->fd, (struct sockaddr *)&a, sizeof a) < 0)
		return connect_error(runtime);
	return 0;
}

static int talk_send(struct talk *t, const char *line, size_t len)
{
	while (len) {
		int rc = wait_for(t, POLLOUT);
		if (rc)
			return rc;
		ssize_t n = send(t->fd, line, len, MSG_NOSIGNAL);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		/* A keep that closed early may have said why. */
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (n < 0)
			return fail_errno(E_IO, "send a command");
		line += n;
		len -= (size_t)n;
	}
	return 0;
}

static int send_command(struct talk *t, const char *command, json_t *args)
{
	json_t *request = json_pack("{s:i, s:s, s:O}", "v", 1, "command", command, "args", args);
	char *line = request ? json_dumps(request, JSON_COMPACT) : NULL;
	int rc = 0;

	json_decref(request);
	size_t len = line ? strlen(line) : 0;
	if (!line)
		return fail(E_NOMEM, "write a command");
	if (len >= TALK_REQUEST_MAX)
		rc = fail(E_LIMIT, "a command of more than %d bytes", TALK_REQUEST_MAX);
	if (!rc) {
		line[len] = '\n'; /* in place of the NUL */
		rc = talk_send(t, line, len + 1);
	}
	mem_free(&line);
	return rc;
}

static int fill(struct talk *t)
{
	int rc = wait_for(t, POLLIN);

	if (!rc)
		rc = buf_reserve(&t->in, 64 * 1024);
	if (rc)
		return rc;
	ssize_t n = recv(t->fd, t->in.data + t->in.len, t->in.cap - t->in.len, 0);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return fail(E_AGAIN,
			    "the keep ended the connection without an answer: see its log, "
			    "and look before doing it again");
	if (n < 0)
		return fail_errno(E_IO, "receive an answer");
	t->in.len += (size_t)n;
	return 0;
}

static const uint8_t *find_newline(const struct talk *t)
{
	size_t left = t->in.len - t->searched;

	return left ? memchr(t->in.data + t->searched, '\n', left) : NULL;
}

/* One line as JSON. */
static int next_message(struct talk *t, json_t **ret_message)
{
	const uint8_t *end;

	while (!(end = find_newline(t))) {
		t->searched = t->in.len;
		if (t->in.len > TALK_LINE_MAX)
			return fail(E_PROTOCOL, "an answer of more than %d bytes", TALK_LINE_MAX);
		int rc = fill(t);
		if (rc)
			return rc;
	}
	size_t len = (size_t)(end - t->in.data);
	json_t *m = json_loadb((const char *)t->in.data, len, JSON_REJECT_DUPLICATES, NULL);
	buf_eat(&t->in, len + 1);
	t->searched = 0;
	if (!json_is_object(m)) {
		json_decref(m);
		return fail(E_PROTOCOL, "an answer that is no JSON object");
	}
	*ret_message = m;
	return 0;
}

static int refusal(json_t *message)
{
	json_int_t code = json_integer_value(json_object_get(message, "code"));
	const char *error = json_string_value(json_object_get(message, "error"));

	if (code >= 0 || code < E_LAST || !error)
		return fail(E_PROTOCOL, "a refusal without a code and a sentence");
	return fail((enum err)code, "%s", error);
}

/* 1: go on; else the end, with *ret_result for 0. */
static int judge(json_t *message, int (*on_item)(void *arg, json_t *item), void *arg,
		 json_t **ret_result)
{
	json_t *item = json_object_get(message, "item"), *ok = json_object_get(message, "ok");
	json_t *result = json_object_get(message, "result");

	if (json_is_object(item)) {
		int rc = on_item ? on_item(arg, item) : 0;
		return rc ? rc : 1;
	}
	if (json_is_false(ok))
		return refusal(message);
	if (!json_is_true(ok) || !json_is_object(result))
		return fail(E_PROTOCOL, "an answer without a result");
	*ret_result = json_incref(result);
	return 0;
}

int talk_ask(const char *runtime, const char *command, json_t *args, int timeout_ms,
	     int (*on_item)(void *arg, json_t *item), void *arg, json_t **ret_result)
{
	CLEANUP(talk_done) struct talk t = {.fd = -1, .until_ms = TALK_FOR_EVER};
	int rc;

	if (timeout_ms >= 0)
		t.until_ms = clock_mono_ms() + timeout_ms;
	rc = talk_connect(&t, runtime);
	if (!rc)
		rc = send_command(&t, command, args);
	if (rc)
		return rc;
	do {
		json_t *message = NULL;
		rc = next_message(&t, &message);
		if (!rc)
			rc = judge(message, on_item, arg, ret_result);
		json_decref(message);
	} while (rc == 1);
	return rc;
}
