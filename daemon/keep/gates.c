/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/gates.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "daemon/keep/gate_link.h"
#include "daemon/keep/gate_settings.h"
#include "daemon/keep/chores.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/puts.h"

enum {
	WATCH_MS = 1000,
	BACKOFF_FIRST_MS = 200,
	BACKOFF_MAX_MS = 30000,
	BACKOFF_FORGET_MS = 60000, /* a gate that lived so long starts anew */
	DRAIN_GRACE_MS = 5000,     /* what a gate may take beyond its deadline */
	LINK_FD = 3,
	LOCK_FD = 4,
	STDIO_COUNT = 5,
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
	bool draining;
	int64_t drained_by_ms;
	unsigned handles_open;
	void (*on_drained)(struct keep *keep);
};

static void start_place(struct place *p);

/* ---- life and death of processes ---- */

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

static void on_process_closed(uv_handle_t *handle)
{
	gate_unref(handle->data);
}

/* How a gate ended is known only now, after the chore that ends what it had open. */
static void record_end(const struct gate *g, int64_t status, int signal)
{
	json_t *detail =
	    json_pack("{s:i,s:i,s:I,s:i}", "gate", (int)g->place, "pid", (int)g->process.pid,
		      "status", (json_int_t)status, "signal", signal);

	if (*g->why)
		json_object_set_new(detail, "why", json_string(g->why));
	chore_record(g->keep, *g->why ? "gate.crash" : "gate.end", detail, NULL);
}

static void on_gate_exit(uv_process_t *process, int64_t status, int signal)
{
	struct gate *g = process->data;
	struct gates *all = g->keep->gates;
	struct place *p = &all->place[g->place];

	g->exited = true;
	while (gate_receive(g))
		; /* what it said last still counts; a copy of its link in other hands does not */
	if (!*g->why && (status || signal))
		(void)snprintf(g->why, sizeof g->why, "exit status %lld, signal %d",
			       (long long)status, signal);
	if (status || signal || !all->draining)
		log_warning("gate %u (pid %d) has ended: %s", g->place, process->pid,
			    *g->why ? g->why : "it left without a reason");
	gate_close(g);
	record_end(g, status, signal);
	p->gate = NULL;
	if (!all->draining)
		schedule_restart(p, g);
	uv_close((uv_handle_t *)process, on_process_closed);
	check_drained(all);
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

/* Whom a gate runs as: us, or when we are root who is configured, else dropkeep, else nobody. */
static int gate_ids(const char *configured, unsigned *ret_uid, unsigned *ret_gid)
{
	static const char *const fallback[] = {"dropkeep", "nobody"};
	const struct passwd *pw = NULL;

	if (geteuid() != 0) {
		*ret_uid = (unsigned)geteuid();
		*ret_gid = (unsigned)getegid();
		return 0;
	}
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
	char *args[] = {(char *)(uintptr_t) "dropkeep-gate",
			(char *)(uintptr_t) "--parent",
			parent,
			(char *)(uintptr_t) "--uid",
			uid_text,
			(char *)(uintptr_t) "--gid",
			gid_text,
			NULL};
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
	(void)snprintf(uid_text, sizeof uid_text, "%u", all->uid);
	(void)snprintf(gid_text, sizeof gid_text, "%u", all->gid);
	int rc = uv_spawn(&g->keep->loop, &g->process, &o);
	return rc ? fail(E_IO, "start '%s': %s", all->program, uv_strerror(rc)) : 0;
}

/* uv_spawn() opens the handle even when it fails. */
static int gate_start(struct gates *all, unsigned place, struct gate **ret_gate)
{
	struct gate *g = gate_new(all->keep, place);
	CLEANUP(sys_close) int ours = -1;
	CLEANUP(sys_close) int theirs = -1;
	int fds[2] = {-1, -1};
	int rc = link_pair(fds);

	ours = fds[0];
	theirs = fds[1];
	g->process.data = g;
	if (!rc)
		rc = spawn(g, all, theirs);
	if (rc) {
		if (g->process.type == UV_PROCESS)
			uv_close((uv_handle_t *)&g->process, on_process_closed);
		else
			gate_unref(g);
		return rc;
	}
	g->exited = false;
	gate_attach(g, TAKE_FD(ours));
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
		if (g && all->draining && now > all->drained_by_ms)
			gate_end(g, "it did not stop in time");
		if (g)
			gate_watch(g, now);
	}
	puts_watch(all->keep, now);
}

int gates_new(struct keep *keep, struct gates **ret_gates)
{
	struct gates *all = mem_new(sizeof *all);
	int rc = gate_ids(keep->boot->user, &all->uid, &all->gid);

	if (rc) {
		free(all);
		return rc;
	}
	all->keep = keep;
	all->program = find_program();
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
	all->drained_by_ms = clock_mono_ms() + (int64_t)deadline_ms + DRAIN_GRACE_MS;
	all->on_drained = done;
	for (unsigned i = 0; i < all->count; i++) {
		struct place *p = &all->place[i];
		(void)uv_timer_stop(&p->again);
		if (p->gate && p->gate->ready)
			gate_order_drain(p->gate, deadline_ms);
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

	if (gate_settings_compose(all->keep, all->keep->settings, &body)) {
		log_failure("tell the gates the new settings");
		return;
	}
	for (unsigned i = 0; i < all->count; i++)
		if (all->place[i].gate && all->place[i].gate->ready)
			gate_order_configure(all->place[i].gate, view_buf(&body));
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
