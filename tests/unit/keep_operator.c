/* SPDX-License-Identifier: Apache-2.0 */
#include "keep_operator.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

struct sockaddr_un address_of(const struct live *l)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	(void)snprintf(a.sun_path, sizeof a.sun_path, "%s/run/control.sock", l->dir);
	return a;
}

struct peer connected(struct live *l)
{
	struct peer p = {.live = l};
	struct sockaddr_un a = address_of(l);

	p.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(p.fd >= 0);
	assert_int_equal(connect(p.fd, (struct sockaddr *)&a, sizeof a), 0);
	return p;
}

void peer_done(struct peer *p)
{
	sys_close(&p->fd);
	buf_done(&p->in);
	json_decref(p->items);
	json_decref(p->last);
}

void say(struct peer *p, struct view text)
{
	while (text.len) {
		ssize_t n = send(p->fd, text.data, text.len, MSG_NOSIGNAL);
		if (n < 0) {
			assert_true(errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
			if (errno != EAGAIN)
				return; /* it has heard enough */
			(void)uv_run(&p->live->keep->loop, UV_RUN_NOWAIT);
			continue;
		}
		text = view_of(text.data + n, text.len - (size_t)n);
	}
}

bool peer_has_ended(void *arg)
{
	struct peer *p = arg;

	for (;;) {
		assert_good(buf_reserve(&p->in, 65536));
		ssize_t n = recv(p->fd, p->in.data + p->in.len, 65536, 0);
		if (n > 0)
			p->in.len += (size_t)n;
		else
			return n == 0 || errno == ECONNRESET;
	}
}

/* Takes the answer apart: lines with items, and one that ends it. */
void hear(struct peer *p)
{
	live_until(p->live, peer_has_ended, p);
	struct view rest = view_buf(&p->in);
	p->items = json_array();
	while (rest.len) {
		json_error_t e;
		const uint8_t *newline = memchr(rest.data, '\n', rest.len);
		assert_non_null(newline);
		assert_null(p->last);
		size_t len = (size_t)(newline - rest.data);
		json_t *line = json_loadb((const char *)rest.data, len, 0, &e);
		assert_non_null(line);
		if (json_object_get(line, "item"))
			json_array_append(p->items, json_object_get(line, "item"));
		else
			p->last = json_incref(line);
		json_decref(line);
		rest = view_of(newline + 1, rest.len - len - 1);
	}
}

int code_of(const struct peer *p)
{
	assert_non_null(p->last);
	return (int)json_integer_value(json_object_get(p->last, "code"));
}

struct peer said(struct live *l, const char *line)
{
	struct peer p = connected(l);

	say(&p, view_text(line));
	hear(&p);
	return p;
}

static struct peer commanded(struct live *l, const char *command, const char *args)
{
	CLEANUP(mem_free)
	char *line = mem_printf("{\"v\":1,\"command\":\"%s\",\"args\":%s}\n", command, args);

	return said(l, line);
}

/* A command that ends well; its result is borrowed from the peer. */
const json_t *result(struct live *l, struct peer *p, const char *command, const char *args)
{
	*p = commanded(l, command, args);
	if (!json_is_true(json_object_get(p->last, "ok")))
		print_message("# %s: %s\n", command,
			      json_string_value(json_object_get(p->last, "error")));
	assert_true(json_is_true(json_object_get(p->last, "ok")));
	return json_object_get(p->last, "result");
}

void ok(struct live *l, const char *command, const char *args)
{
	PEER p = {.fd = -1};

	(void)result(l, &p, command, args);
}

void refused(struct live *l, const char *command, const char *args, int code)
{
	PEER p = commanded(l, command, args);

	assert_true(json_is_false(json_object_get(p.last, "ok")));
	if (code_of(&p) != code)
		print_message("# %s %s: %s\n", command, args,
			      json_string_value(json_object_get(p.last, "error")));
	assert_int_equal(code_of(&p), code);
	assert_int_equal(json_array_size(p.items), 0);
}

json_int_t number(const json_t *o, const char *name)
{
	assert_true(json_is_integer(json_object_get(o, name)));
	return json_integer_value(json_object_get(o, name));
}

const char *text(const json_t *o, const char *name)
{
	assert_true(json_is_string(json_object_get(o, name)));
	return json_string_value(json_object_get(o, name));
}
