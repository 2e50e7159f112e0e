/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/control.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/safe_json.h"

enum { COMMAND_MAX = 65536, PEERS_MAX = 32, PROTOCOL = 1, SOCKET_MODE = 0660, RUNTIME_MODE = 0750 };

struct control {
	struct keep *keep;
	uv_pipe_t pipe;
	char *path;
	struct control_peer *first;
	unsigned peers;
	bool stopped, closed;
};

struct control_peer {
	struct control *control;
	struct control_peer *next, **link;
	uv_pipe_t pipe;
	uv_write_t write;
	struct buf in, out;
	struct command *command; /* under way */
	bool gone;
};

/* ---- one peer ---- */

static void forget_when_empty(struct control *c)
{
	if (!c->closed || c->first)
		return;
	free(c->path);
	free(c);
}

static void on_peer_closed(uv_handle_t *handle)
{
	struct control_peer *p = handle->data;
	struct control *c = p->control;

	c->peers--;
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	buf_done(&p->in);
	buf_done(&p->out);
	free(p);
	forget_when_empty(c);
}

/* A peer with a command under way lives until that is answered. */
static void peer_end(struct control_peer *p)
{
	p->gone = true;
	if (!p->command && !uv_is_closing((uv_handle_t *)&p->pipe))
		uv_close((uv_handle_t *)&p->pipe, on_peer_closed);
}

static void on_written(uv_write_t *write, int status)
{
	(void)status;
	peer_end(write->data);
}

static void send_out(struct control_peer *p)
{
	uv_buf_t b = uv_buf_init((char *)p->out.data, (unsigned)p->out.len);

	p->write.data = p;
	if (p->gone || uv_write(&p->write, (uv_stream_t *)&p->pipe, &b, 1, on_written))
		peer_end(p);
}

static int add_line(struct buf *out, json_t *line)
{
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	int rc = text ? buf_printf(out, "%s\n", text) : fail(E_NOMEM, "write an answer");

	free(text);
	json_decref(line);
	return rc;
}

static int write_answer(struct command *c)
{
	struct buf *out = &c->peer->out;
	size_t i;
	json_t *item;
	int rc = 0;

	if (c->deed.rc) {
		const char *why = *c->deed.why ? c->deed.why : err_word(c->deed.rc);
		return add_line(out, json_pack("{s:b,s:i,s:o}", "ok", 0, "code", c->deed.rc,
					       "error", safe_text(view_text(why))));
	}
	json_array_foreach(c->items, i, item)
	{
		if (!rc)
			rc = add_line(out, json_pack("{s:O}", "item", item));
	}
	return rc ? rc : add_line(out, json_pack("{s:b,s:O}", "ok", 1, "result", c->result));
}

void command_finish(struct deed *d)
{
	struct command *c = command_of(d);
	struct control_peer *p = c->peer;

	p->command = NULL;
	if (write_answer(c)) {
		log_failure("answer '%s'", d->row->name);
		buf_clear(&p->out);
	}
	if (c->work)
		c->drop_work(c->work);
	json_decref(c->args);
	json_decref(c->items);
	json_decref(c->result);
	free(c);
	send_out(p);
}

static void refuse(struct control_peer *p, int code, const char *why)
{
	if (add_line(&p->out, json_pack("{s:b,s:i,s:s}", "ok", 0, "code", code, "error", why)))
		err_clear();
	send_out(p);
}

/* ---- commands ---- */

static const struct deed_row *find_row(const char *name)
{
	static const struct command_entry *const tables[] = {commands_zone,       commands_user,
							     commands_credential, commands_state,
							     commands_alerts,     commands_audit};

	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct command_entry *e = tables[t]; e->name; e++)
			if (strcmp(e->name, name) == 0)
				return e->row;
	return NULL;
}

static uid_t peer_uid(const struct control_peer *p)
{
	struct ucred cred = {.uid = (uid_t)-1};
	socklen_t len = sizeof cred;
	uv_os_fd_t fd;

	if (uv_fileno((const uv_handle_t *)&p->pipe, &fd) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return (uid_t)-1;
	return cred.uid;
}

static void run(struct control_peer *p, json_t *request)
{
	uid_t uid = peer_uid(p);
	const char *name = NULL;
	json_t *args = NULL;
	int version = 0;

	if (uid != 0 && uid != geteuid()) {
		refuse(p, E_DENIED, "only root and the daemon's own user may give commands");
		return;
	}
	if (json_unpack(request, "{s:i,s:s,s:o}", "v", &version, "command", &name, "args", &args) ||
	    !json_is_object(args)) {
		refuse(p, E_USAGE, "a request needs v, command and args");
		return;
	}
	const struct deed_row *row = find_row(name);
	if (version != PROTOCOL || !row) {
		refuse(p, E_UNSUPPORTED,
		       row ? "another version of the control protocol"
			   : "there is no such command in this version");
		return;
	}
	struct command *c = mem_new(sizeof *c);
	c->deed.row = row;
	c->peer = p;
	c->args = json_incref(args);
	c->items = json_array();
	c->result = json_object();
	(void)snprintf(c->actor, sizeof c->actor, "operator:%u", (unsigned)uid);
	p->command = c;
	deeds_submit(p->control->keep->deeds, &c->deed);
}

static void on_line(struct control_peer *p, size_t len)
{
	json_error_t e;
	json_t *request = json_loadb((const char *)p->in.data, len, JSON_REJECT_DUPLICATES, &e);

	(void)uv_read_stop((uv_stream_t *)&p->pipe);
	if (request)
		run(p, request);
	else
		refuse(p, E_USAGE, "a request must be one line of JSON");
	json_decref(request);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
	struct control_peer *p = handle->data;

	(void)suggested;
	if (buf_reserve(&p->in, 4096)) {
		err_clear();
		*ret_buf = uv_buf_init(NULL, 0);
		return;
	}
	*ret_buf = uv_buf_init((char *)p->in.data + p->in.len, (unsigned)(p->in.cap - p->in.len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct control_peer *p = stream->data;

	(void)b;
	if (n < 0) {
		peer_end(p);
		return;
	}
	p->in.len += (size_t)n;
	const uint8_t *newline = p->in.len ? memchr(p->in.data, '\n', p->in.len) : NULL;
	size_t len = newline ? (size_t)(newline - p->in.data) : p->in.len;
	if (newline && len < COMMAND_MAX) {
		on_line(p, len);
	} else if (len >= COMMAND_MAX) {
		(void)uv_read_stop(stream);
		refuse(p, E_LIMIT, "a request of more than 65536 bytes");
	}
}

static void on_connection(uv_stream_t *server, int status)
{
	struct control *c = server->data;
	struct control_peer *p;

	if (status < 0)
		return;
	p = mem_new(sizeof *p);
	p->control = c;
	p->pipe.data = p;
	p->next = c->first;
	if (p->next)
		p->next->link = &p->next;
	p->link = &c->first;
	c->first = p;
	(void)uv_pipe_init(&c->keep->loop, &p->pipe, 0);
	c->peers++;
	if (uv_accept(server, (uv_stream_t *)&p->pipe) || c->stopped || c->peers > PEERS_MAX)
		peer_end(p);
	else
		(void)uv_read_start((uv_stream_t *)&p->pipe, on_alloc, on_read);
}

/* ---- the socket ---- */

static int make_runtime(const char *dir)
{
	mode_t old = umask(0777 & ~RUNTIME_MODE);
	int rc = sys_mkdir(AT_FDCWD, dir, RUNTIME_MODE);

	(void)umask(old);
	if (rc == E_EXISTS) {
		err_clear();
		rc = 0;
	}
	return rc;
}

static void on_control_closed(uv_handle_t *handle)
{
	struct control *c = handle->data;

	c->closed = true;
	forget_when_empty(c);
}

/* The state lock is ours, so a socket that is left over belongs to nobody. The mode is widened
 * afterwards: the umask is of the whole process, and other threads make files. */
static int bind_socket(struct control *c)
{
	(void)unlink(c->path);
	int rc = uv_pipe_bind(&c->pipe, c->path);
	if (!rc && chmod(c->path, SOCKET_MODE) < 0)
		return fail_errno(E_IO, "set the mode of '%s'", c->path);
	if (!rc)
		rc = uv_listen((uv_stream_t *)&c->pipe, PEERS_MAX, on_connection);
	return rc ? fail(E_IO, "bind '%s': %s", c->path, uv_strerror(rc)) : 0;
}

int control_new(struct keep *keep, struct control **ret_control)
{
	struct sockaddr_un limit;
	struct control *c;
	int rc = make_runtime(keep->boot->runtime);

	if (rc)
		return rc;
	c = mem_new(sizeof *c);
	c->keep = keep;
	c->path = mem_printf("%s/control.sock", keep->boot->runtime);
	c->pipe.data = c;
	if (strlen(c->path) >= sizeof limit.sun_path) {
		rc = fail(E_CONFIG, "[daemon] runtime is too long for a socket's name: '%s'",
			  c->path);
		free(c->path);
		free(c);
		return rc;
	}
	(void)uv_pipe_init(&keep->loop, &c->pipe, 0);
	rc = bind_socket(c);
	if (rc) {
		uv_close((uv_handle_t *)&c->pipe, on_control_closed);
		return rc;
	}
	*ret_control = c;
	return 0;
}

static bool is_idle(const struct control_peer *p)
{
	return !p->command && !p->out.len;
}

void control_stop(struct control *c)
{
	c->stopped = true;
	for (struct control_peer *p = c->first; p; p = p->next)
		if (is_idle(p))
			peer_end(p);
}

/* Whoever has not read their answer by now does not keep the keep from ending. */
void control_free(struct control *c)
{
	for (struct control_peer *p = c->first; p; p = p->next)
		peer_end(p);
	uv_close((uv_handle_t *)&c->pipe, on_control_closed);
}

/* ---- what commands share ---- */

int command_record(struct command *c, const char *event, const struct zone_row *zone,
		   json_t *detail)
{
	struct event e = EVENT(.name = event, .actor = c->actor);

	event_detail(&e, detail);

	if (zone) {
		e.zone = zone->id;
		e.zone_name = zone->name;
	}
	return audit_add(c->deed.keep->audit, &e);
}

int command_usage(const json_error_t *e)
{
	return fail(E_USAGE, "arguments do not fit the command: %s", e->text);
}

int command_zone(struct command *c, const char *name, const struct zone **ret_zone)
{
	int rc = accounts_zone_by_name(c->deed.keep->accounts, view_text(name), ret_zone);

	return rc == E_GONE ? fail(E_GONE, "there is no zone '%s'", name) : rc;
}

int command_user(struct command *c, const char *name, struct principal_row *ret_user)
{
	int rc = catalog_principal_by_name(c->deed.keep->catalog, name, ret_user);

	return rc == E_GONE ? fail(E_GONE, "there is no user '%s'", name) : rc;
}

int command_zone_number(struct command *c, const char *name, uint64_t *ret_zone)
{
	const struct zone *zone;

	if (strcmp(name, "*") == 0) {
		*ret_zone = 0;
		return 0;
	}
	int rc = command_zone(c, name, &zone);
	if (!rc)
		*ret_zone = zone->row.id;
	return rc;
}

json_t *json_time(int64_t utc_us)
{
	char text[CLOCK_TEXT];

	if (!utc_us)
		return json_null();
	clock_text(utc_us, text);
	return json_string(text);
}
