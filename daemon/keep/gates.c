/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/gates.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "daemon/keep/ask.h"
#include "daemon/keep/gate_settings.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/puts.h"

enum {
	PACKETS_A_WAKE = 64, /* then other gates have their turn */
	STALL_MAX_MS = 20000,
	WATCH_MS = 1000,
	BACKOFF_FIRST_MS = 200,
	BACKOFF_MAX_MS = 30000,
	BACKOFF_FORGET_MS = 60000, /* a gate that lived so long starts anew */
	LINK_FD = 3,
	LOCK_FD = 4,
	STDIO_COUNT = 5,
};

struct packet {
	struct packet *next;
	int fds[LINK_FDS_MAX];
	unsigned fd_count;
	size_t len;
	uint8_t bytes[];
};

struct place {
	struct gates *gates;
	struct gate *gate; /* NULL while it is being restarted */
	uv_timer_t again;
	uint64_t backoff_ms;
	unsigned restarts;
};

struct gates {
	struct keep *keep;
	char *program;
	unsigned uid, gid; /* what a gate becomes when we are root */
	unsigned count;
	struct place place[GATES_MAX];
	uv_timer_t watch; /* stalled links and impatient newcomers */
	uint8_t *memory;  /* one packet */
	bool draining, closing;
	unsigned handles_open;
	void (*on_drained)(struct keep *keep);
};

static void start_place(struct place *p);
static void receive(struct gate *g);

/* ---- life and death of one gate ---- */

void gate_ref(struct gate *g)
{
	g->refs++;
}

static void packet_free(struct packet *p)
{
	for (unsigned i = 0; i < p->fd_count; i++)
		sys_close(&p->fds[i]);
	wipe(p->bytes, p->len);
	free(p);
}

void gate_unref(struct gate *g)
{
	assert(g->refs);
	if (--g->refs)
		return;
	while (g->first) {
		struct packet *p = g->first;
		g->first = p->next;
		packet_free(p);
	}
	free(g);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct gate *g = handle->data;

	if (handle == (uv_handle_t *)&g->poll)
		sys_close(&g->socket);
	gate_unref(g);
}

static void close_link(struct gate *g)
{
	if (g->ended)
		return;
	g->ended = true;
	g->ready = false;
	uv_close((uv_handle_t *)&g->poll, on_handle_closed);
	gate_lost(g);
}

void gate_end(struct gate *g, const char *why)
{
	if (g->ended)
		return;
	log_error("gate %u (pid %d) is ended: %s", g->place, g->process.pid, why);
	(void)snprintf(g->why, sizeof g->why, "%s", why);
	if (!g->exited)
		(void)uv_process_kill(&g->process, SIGKILL);
	close_link(g);
}

static void check_drained(struct gates *all)
{
	if (!all->draining || !all->on_drained)
		return;
	for (unsigned i = 0; i < all->count; i++)
		if (all->place[i].gate)
			return;
	void (*done)(struct keep *) = all->on_drained;
	all->on_drained = NULL;
	done(all->keep);
}

static void on_again(uv_timer_t *timer)
{
	start_place(timer->data);
}

static void schedule_restart(struct place *p, const struct gate *g)
{
	if (clock_mono_ms() - g->started_ms > BACKOFF_FORGET_MS)
		p->backoff_ms = 0;
	uint64_t wait = p->backoff_ms ? p->backoff_ms : BACKOFF_FIRST_MS;
	p->backoff_ms = wait * 2 < BACKOFF_MAX_MS ? wait * 2 : BACKOFF_MAX_MS;
	p->restarts++;
	(void)uv_timer_start(&p->again, on_again, wait, 0);
}

static void on_gate_exit(uv_process_t *process, int64_t status, int signal)
{
	struct gate *g = process->data;
	struct gates *all = g->keep->gates;
	struct place *p = &all->place[g->place];

	g->exited = true;
	while (!g->ended)
		receive(g); /* what it said last still counts; then the link's end is found */
	if (!*g->why && (status || signal))
		(void)snprintf(g->why, sizeof g->why, "exit status %lld, signal %d",
			       (long long)status, signal);
	if (status || signal || !all->draining)
		log_warning("gate %u (pid %d) has ended: %s", g->place, process->pid,
			    *g->why ? g->why : "it left without a reason");
	close_link(g);
	p->gate = NULL;
	if (!all->draining)
		schedule_restart(p, g);
	uv_close((uv_handle_t *)process, on_handle_closed);
	check_drained(all);
}

/* ---- its link ---- */

static void on_poll(uv_poll_t *poll, int status, int events);

static void arm(struct gate *g)
{
	int events = UV_READABLE | (g->first ? UV_WRITABLE : 0);

	(void)uv_poll_start(&g->poll, events, on_poll);
}

/* Send what waits until the socket is full. */
static void flush(struct gate *g)
{
	while (g->first && !g->ended) {
		struct packet *p = g->first;
		int rc = link_send(g->socket, view_of(p->bytes, p->len), p->fds, p->fd_count);
		if (rc == E_AGAIN) {
			if (!g->stalled_since_ms)
				g->stalled_since_ms = clock_mono_ms();
			return;
		}
		if (rc) {
			err_clear();
			gate_end(g, "its link cannot be written to");
			return;
		}
		g->stalled_since_ms = 0;
		g->first = p->next;
		if (!g->first)
			g->last = &g->first;
		packet_free(p);
	}
}

void gate_send(struct gate *g, const struct frame *f, int *fds, unsigned count)
{
	struct packet *p = mem_new(sizeof *p + LINK_HEADER + f->body.len);
	struct writer w = writer_of(p->bytes, LINK_HEADER + f->body.len);

	frame_write(&w, f);
	write_raw(&w, f->body.data, f->body.len);
	assert(!w.full);
	p->len = w.len;
	p->fd_count = count;
	if (count)
		memcpy(p->fds, fds, count * sizeof *fds);
	*g->last = p;
	g->last = &p->next;
	flush(g);
	if (!g->ended)
		arm(g);
}

static void receive(struct gate *g)
{
	struct gates *all = g->keep->gates;

	for (unsigned n = 0; n < PACKETS_A_WAKE && !g->ended; n++) {
		struct view packet;
		unsigned count = 0;
		int rc = link_receive(g->socket, all->memory, LINK_MAX, &packet, NULL, 0, &count);
		if (rc == E_AGAIN)
			return;
		if (!rc)
			rc = ask_receive(g, packet);
		if (rc == E_GONE) {
			err_clear();
			close_link(g); /* its exit follows */
			return;
		}
		if (rc) {
			gate_end(g, err_cause());
			err_clear();
		}
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct gate *g = poll->data;

	gate_ref(g);
	if (status < 0)
		gate_end(g, "its link failed");
	if (!g->ended && events & UV_WRITABLE)
		flush(g);
	if (!g->ended && events & UV_READABLE)
		receive(g);
	if (!g->ended)
		arm(g);
	gate_unref(g);
}

/* ---- orders ---- */

static void order(struct gate *g, uint16_t verb, uint64_t subject, struct view body, int *fds,
		  unsigned count)
{
	struct frame f = {.kind = FRAME_ORDER, .verb = verb, .subject = subject, .body = body};

	if (!g->ended)
		gate_send(g, &f, fds, count);
}

void gate_order_end_session(struct gate *g, uint64_t session, const char *reason)
{
	struct order_end_session m = {.reason = view_text(reason)};
	uint8_t body[256];
	struct writer w = writer_of(body, sizeof body);

	order_end_session_write(&w, &m);
	assert(!w.full);
	order(g, ORDER_END_SESSION, session, view_of(w.data, w.len), NULL, 0);
}

void gate_order_yield(struct gate *g, uint64_t put)
{
	order(g, ORDER_YIELD, put, view_of(NULL, 0), NULL, 0);
}

static void order_drain(struct gate *g, uint64_t deadline_ms)
{
	struct order_drain m = {.deadline_ms =
				    deadline_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)deadline_ms};
	uint8_t body[8];
	struct writer w = writer_of(body, sizeof body);

	order_drain_write(&w, &m);
	order(g, ORDER_DRAIN, 0, view_of(w.data, w.len), NULL, 0);
}

/* ---- starting ---- */

/* In a build tree the gate lies beside the keep, which an installed keep never looks at: what
 * decides is where the running program is, not the environment. */
static char *find_program(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n > 0) {
		self[n] = '\0';
		char *slash = strrchr(self, '/');
		*slash = '\0';
		char *marker = mem_printf("%s/config.status", self);
		char *beside = mem_printf("%s/dropkeep-gate", self);
		bool in_build_tree = access(marker, F_OK) == 0 && access(beside, X_OK) == 0;
		free(marker);
		if (in_build_tree)
			return beside;
		free(beside);
	}
	return mem_text(PKGLIBEXECDIR "/dropkeep-gate");
}

/* The user that a gate becomes when we are root: configured, else dropkeep, else nobody. */
static int gate_ids(const char *configured, unsigned *ret_uid, unsigned *ret_gid)
{
	static const char *const fallback[] = {"dropkeep", "nobody"};
	const struct passwd *pw = NULL;

	if (*configured) {
		pw = getpwnam(configured);
		if (!pw)
			return fail(E_CONFIG, "[daemon] user: there is no user '%s'", configured);
	}
	for (size_t i = 0; !pw && i < ARRAY_LEN(fallback); i++)
		pw = getpwnam(fallback[i]);
	if (!pw || pw->pw_uid == 0)
		return fail(E_CONFIG,
			    "no user for the gates: set [daemon] user to one that is not root");
	*ret_uid = (unsigned)pw->pw_uid;
	*ret_gid = (unsigned)pw->pw_gid;
	return 0;
}

static int spawn(struct gate *g, const struct gates *all, int link)
{
	char uid_text[16], gid_text[16], parent[16];
	char *args[8] = {(char *)(uintptr_t) "dropkeep-gate", (char *)(uintptr_t) "--parent",
			 parent};
	char *env[] = {NULL};
	uv_stdio_container_t stdio[STDIO_COUNT] = {
	    {.flags = UV_IGNORE},
	    {.flags = UV_IGNORE},
	    {.flags = UV_INHERIT_FD, .data.fd = log_fd()},
	    [LINK_FD] = {.flags = UV_INHERIT_FD, .data.fd = link},
	    [LOCK_FD] = {.flags = UV_INHERIT_FD, .data.fd = g->keep->lock_fd},
	};
	uv_process_options_t o = {.exit_cb = on_gate_exit,
				  .file = all->program,
				  .args = args,
				  .env = env,
				  .cwd = "/",
				  .stdio = stdio,
				  .stdio_count = STDIO_COUNT};

	(void)snprintf(parent, sizeof parent, "%d", (int)getpid());
	if (geteuid() == 0) {
		(void)snprintf(uid_text, sizeof uid_text, "%u", all->uid);
		(void)snprintf(gid_text, sizeof gid_text, "%u", all->gid);
		args[3] = (char *)(uintptr_t) "--uid";
		args[4] = uid_text;
		args[5] = (char *)(uintptr_t) "--gid";
		args[6] = gid_text;
	}
	int rc = uv_spawn(&g->keep->loop, &g->process, &o);
	return rc ? fail(E_IO, "start '%s': %s", all->program, uv_strerror(rc)) : 0;
}

static int gate_start(struct gates *all, unsigned place, struct gate **ret_gate)
{
	struct keep *keep = all->keep;
	struct gate *g = mem_new(sizeof *g);
	int fds[2] = {-1, -1};

	g->keep = keep;
	g->place = place;
	g->last = &g->first;
	g->started_ms = clock_mono_ms();
	g->process.data = g;
	g->poll.data = g;
	g->refs = 1; /* the process handle's, which uv_spawn() opens even when it fails */
	int rc = link_pair(fds);
	if (rc) {
		gate_unref(g);
		return rc;
	}
	rc = spawn(g, all, fds[1]);
	sys_close(&fds[1]);
	if (rc) {
		sys_close(&fds[0]);
		if (g->process.type == UV_PROCESS)
			uv_close((uv_handle_t *)&g->process, on_handle_closed);
		else
			gate_unref(g);
		return rc;
	}
	g->socket = fds[0];
	g->refs++;
	(void)uv_poll_init(&keep->loop, &g->poll, g->socket);
	arm(g);
	*ret_gate = g;
	return 0;
}

static void start_place(struct place *p)
{
	struct gates *all = p->gates;
	unsigned place = (unsigned)(p - all->place);

	if (gate_start(all, place, &p->gate)) {
		struct gate failed = {.started_ms = clock_mono_ms()};
		log_failure("gate %u", place);
		schedule_restart(p, &failed);
	}
}

static void watch(uv_timer_t *timer)
{
	struct gates *all = timer->data;
	int64_t now = clock_mono_ms();

	for (unsigned i = 0; i < all->count; i++) {
		struct gate *g = all->place[i].gate;
		if (g && g->stalled_since_ms && now - g->stalled_since_ms > STALL_MAX_MS)
			gate_end(g, "it does not read its answers");
	}
	puts_watch(all->keep, now);
}

int gates_new(struct keep *keep, struct gates **ret_gates)
{
	struct gates *all = mem_new(sizeof *all);

	if (geteuid() == 0) {
		int rc = gate_ids(keep->boot->user, &all->uid, &all->gid);
		if (rc) {
			free(all);
			return rc;
		}
	}
	all->keep = keep;
	all->program = find_program();
	all->memory = mem_new(LINK_MAX);
	all->count = keep->boot->gates ? keep->boot->gates : uv_available_parallelism();
	if (all->count > GATES_MAX)
		all->count = GATES_MAX;
	all->watch.data = all;
	(void)uv_timer_init(&keep->loop, &all->watch);
	all->handles_open = 1;
	for (unsigned i = 0; i < all->count; i++) {
		struct place *p = &all->place[i];
		p->gates = all;
		p->again.data = p;
		(void)uv_timer_init(&keep->loop, &p->again);
		all->handles_open++;
	}
	*ret_gates = all;
	return 0;
}

int gates_start(struct gates *all)
{
	for (unsigned i = 0; i < all->count; i++) {
		int rc = gate_start(all, i, &all->place[i].gate);
		if (rc)
			return rc;
	}
	return uv_timer_start(&all->watch, watch, WATCH_MS, WATCH_MS);
}

void gates_drain(struct gates *all, uint64_t deadline_ms, void (*done)(struct keep *keep))
{
	all->draining = true;
	all->on_drained = done;
	for (unsigned i = 0; i < all->count; i++) {
		struct place *p = &all->place[i];
		(void)uv_timer_stop(&p->again);
		if (p->gate && p->gate->ready)
			order_drain(p->gate, deadline_ms);
		else if (p->gate)
			gate_end(p->gate, "told to stop before it was ready");
	}
	check_drained(all);
}

static void on_gates_handle_closed(uv_handle_t *handle)
{
	struct gates *all = handle->data;

	if (--all->handles_open)
		return;
	free(all->program);
	free(all->memory);
	free(all);
}

void gates_free(struct gates *all)
{
	for (unsigned i = 0; i < all->count; i++) {
		all->place[i].again.data = all;
		uv_close((uv_handle_t *)&all->place[i].again, on_gates_handle_closed);
	}
	uv_close((uv_handle_t *)&all->watch, on_gates_handle_closed);
}

/* ---- settings and status ---- */

void gates_configure(struct gates *all)
{
	CLEANUP(buf_wipe) struct buf body = {0};

	if (gate_settings_compose(all->keep, &body)) {
		log_failure("tell the gates the new settings");
		return;
	}
	for (unsigned i = 0; i < all->count; i++)
		if (all->place[i].gate && all->place[i].gate->ready)
			order(all->place[i].gate, ORDER_CONFIGURE, 0, view_buf(&body), NULL, 0);
}

unsigned gates_count(const struct gates *all)
{
	return all->count;
}

void gates_info(const struct gates *all, unsigned place, struct gate_info *ret_info)
{
	const struct gate *g = all->place[place].gate;
	size_t cursor = 0;
	const struct session *s;
	struct gate_info info = {.place = place, .restarts = all->place[place].restarts};

	info.pid = g && !g->exited ? g->process.pid : 0;
	while ((s = slots_next(&all->keep->sessions.sessions, &cursor)))
		info.sessions += s->gate == g;
	*ret_info = info;
}

bool gates_serving(const struct gates *all)
{
	for (unsigned i = 0; i < all->count; i++)
		if (all->place[i].gate && all->place[i].gate->ready)
			return !all->draining;
	return false;
}
