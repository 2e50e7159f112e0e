/* SPDX-License-Identifier: Apache-2.0 */
#include "keep_live.h"

#include <ftw.h>
#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/keep/check.h"
#include "daemon/keep/host_key.h"
#include "daemon/keep/object_key.h"
#include "daemon/keep/ssh_key.h"

enum { PATIENCE_MS = 60000 };

/* ---- the keep ---- */

void live_init(struct live *l, const char *more)
{
	struct init_options o = {.name = {"keep.example"}, .names = 1};

	/* In memory where that can be had: init alone makes and syncs some hundred folders. */
	*l = (struct live){.dir = "/dev/shm/keep-live-XXXXXX"};
	if (!mkdtemp(l->dir)) {
		(void)snprintf(l->dir, sizeof l->dir, "/tmp/keep-live-XXXXXX");
		assert_non_null(mkdtemp(l->dir));
	}
	log_set_level(LEVEL_ERROR);
	CLEANUP(mem_free)
	char *text =
	    mem_printf("[daemon]\nstate = %s/state\nruntime = %s/run\nlog = %s/messages\n"
		       "log_level = warning\ngates = 1\n[sftp]\nlisten = 127.0.0.1:1\n[limits]\n"
		       "disk_reserve = 1M\ndisk_ballast = 1M\n%s",
		       l->dir, l->dir, l->dir, more ? more : "");
	l->conf = mem_printf("%s/conf", l->dir);
	assert_good(sys_replace_file(AT_FDCWD, l->conf, 0600, view_text(text)));
	assert_int_equal(keep_init(l->conf, &o), 0);
}

void live_open(struct live *l)
{
	assert_good(keep_open(l->conf, &l->keep));
}

static bool is_settled(void *arg)
{
	const struct keep *keep = arg;
	size_t cursor = 0, parked = 0;
	const struct put *p;

	while ((p = slots_next(&keep->sessions.uploads, &cursor)))
		for (const struct ask *a = p->waiting; a; a = a->parked_next)
			parked++;
	return deeds_under_way(keep->deeds) == parked && !audit_busy(keep->audit);
}

void live_until(struct live *l, bool (*is)(void *arg), void *arg)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;

	while (!is(arg)) {
		if (!uv_run(&l->keep->loop, UV_RUN_NOWAIT))
			(void)poll(NULL, 0, 1);
		assert_true(clock_mono_ms() < until);
	}
}

void live_settle(struct live *l)
{
	(void)uv_run(&l->keep->loop, UV_RUN_NOWAIT);
	live_until(l, is_settled, l->keep);
}

static void close_it(uv_handle_t *handle, void *arg)
{
	(void)arg;
	print_message("# a handle of type %d is open still\n", handle->type);
}

void live_close(struct live *l)
{
	live_settle(l);
	deeds_close(l->keep->deeds);
	while (uv_run(&l->keep->loop, UV_RUN_NOWAIT))
		uv_walk(&l->keep->loop, close_it, NULL);
	keep_close(l->keep);
	l->keep = NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void live_done(struct live *l)
{
	free(l->conf);
	assert_int_equal(nftw(l->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	err_clear();
}

int live_setup(void **state)
{
	struct live *l = mem_new(sizeof *l);

	live_init(l, NULL);
	live_open(l);
	*state = l;
	return 0;
}

int live_teardown(void **state)
{
	struct live *l = *state;

	live_close(l);
	live_done(l);
	free(l);
	return 0;
}

int live_end(void **state)
{
	(void)state;
	uv_library_shutdown();
	return 0;
}

int live_state(const struct live *l)
{
	return l->keep->state_fd;
}

/* ---- users ---- */

void live_zone(struct live *l, const char *name, uint64_t quota)
{
	uint64_t zone = 0;

	assert_good(catalog_begin(l->keep->catalog));
	assert_good(accounts_add_zone(l->keep->accounts, name, quota, 0, true, &zone));
	assert_good(catalog_commit(l->keep->catalog));
	accounts_forget(l->keep->accounts);
}

static void make_key(struct live *l, uint64_t principal, struct buf *ret_blob)
{
	CLEANUP(buf_wipe) struct buf private = {0};
	CLEANUP(buf_done) struct buf line = {0};
	struct credential_row row;

	assert_good(host_key_make("somebody", &private, &line));
	assert_good(ssh_key_parse(view_buf(&line), &row));
	row.principal = principal;
	assert_good(catalog_credential_add(l->keep->catalog, &row));
	const uint8_t *from = (const uint8_t *)memchr(line.data, ' ', line.len) + 1;
	const uint8_t *to = memchr(from, ' ', line.len - (size_t)(from - line.data));
	assert_good(base64_decode(view_of(from, (size_t)(to - from)), BASE64_PADDED, ret_blob));
}

void live_user(struct live *l, const char *name, enum role role, const char *zone,
	       struct user *ret_user)
{
	struct keep *k = l->keep;
	const struct zone *z = NULL;
	uint64_t id = 0;

	*ret_user = (struct user){.name = ""};
	(void)snprintf(ret_user->name, sizeof ret_user->name, "%s", name);
	assert_good(catalog_begin(k->catalog));
	assert_good(accounts_zone_by_name(k->accounts, view_text(zone), &z));
	assert_good(accounts_add_principal(k->accounts, name, role, &id));
	assert_good(accounts_grant_role(k->accounts, id, role, z->row.id));
	make_key(l, id, &ret_user->key);
	assert_good(catalog_commit(k->catalog));
	accounts_forget(k->accounts);
}

void user_done(struct user *u)
{
	buf_done(&u->key);
}

/* ---- gates ---- */

struct fake_gate *fake_gate_new(struct live *l)
{
	struct fake_gate *g = mem_new(sizeof *g);
	int fds[2];

	g->live = l;
	g->gate = gate_new(l->keep, 0);
	assert_good(link_pair(fds));
	g->socket = fds[1];
	gate_attach(g->gate, fds[0]);
	return g;
}

void heard_free(struct heard **h)
{
	if (*h)
		for (unsigned i = 0; i < (*h)->count; i++)
			sys_close(&(*h)->fds[i]);
	free(*h);
	*h = NULL;
}

bool fake_gate_ended(const struct fake_gate *g)
{
	return g->gate->ended;
}

static bool has_ended(void *arg)
{
	const struct fake_gate *g = arg;

	return fake_gate_ended(g);
}

void fake_gate_die(struct fake_gate *g)
{
	sys_close(&g->socket);
	live_until(g->live, has_ended, g);
	live_settle(g->live);
}

void fake_gate_free(struct fake_gate *g)
{
	fake_gate_die(g);
	while (g->heard) {
		struct heard *h = g->heard;
		g->heard = h->next;
		heard_free(&h);
	}
	gate_unref(g->gate);
	free(g);
}

void gate_say_raw(struct fake_gate *g, struct view packet, const int *fds, unsigned count)
{
	int rc;

	while ((rc = link_send(g->socket, packet, fds, count)) == E_AGAIN)
		(void)uv_run(&g->live->keep->loop, UV_RUN_NOWAIT);
	assert_good(rc);
}

uint32_t gate_say(struct fake_gate *g, uint16_t verb, uint64_t subject, struct view body)
{
	CLEANUP(mem_free) uint8_t *memory = mem_new(LINK_HEADER + body.len);
	struct writer w = writer_of(memory, LINK_HEADER + body.len);
	struct frame f = {.kind = FRAME_ASK, .verb = verb, .id = ++g->id, .subject = subject};

	frame_write(&w, &f);
	write_raw(&w, body.data, body.len);
	gate_say_raw(g, view_of(w.data, w.len), NULL, 0);
	return g->id;
}

static bool take_one(struct fake_gate *g)
{
	struct heard *h = mem_new(sizeof *h + LINK_MAX), **end = &g->heard;
	struct view packet;
	int rc =
	    link_receive(g->socket, h->packet, LINK_MAX, &packet, h->fds, LINK_FDS_MAX, &h->count);

	if (rc) {
		assert_true(rc == E_AGAIN || rc == E_GONE);
		err_clear();
		free(h);
		return false;
	}
	assert_good(frame_read(packet, &h->f));
	if (h->f.kind == FRAME_ANSWER && h->f.status) {
		struct reader r = reader_of(h->f.body);
		struct view text = read_bytes(&r);
		assert_true(reader_end(&r) && text.len > 0 && text.len < sizeof h->text);
		memcpy(h->text, text.data, text.len);
	}
	while (*end)
		end = &(*end)->next;
	*end = h;
	return true;
}

struct heard *gate_heard(struct fake_gate *g, bool (*is)(const struct heard *h, uint32_t n),
			 uint32_t n)
{
	while (take_one(g))
		;
	for (struct heard **at = &g->heard; *at; at = &(*at)->next) {
		struct heard *h = *at;
		if (!is(h, n))
			continue;
		*at = h->next;
		h->next = NULL;
		return h;
	}
	return NULL;
}

bool is_answer_to(const struct heard *h, uint32_t id)
{
	return h->f.kind == FRAME_ANSWER && h->f.id == id;
}

bool is_order(const struct heard *h, uint32_t verb)
{
	return h->f.kind == FRAME_ORDER && h->f.verb == verb;
}

struct wait {
	struct fake_gate *gate;
	bool (*is)(const struct heard *h, uint32_t n);
	uint32_t n;
	struct heard *found;
};

static bool has_come(void *arg)
{
	struct wait *w = arg;

	w->found = gate_heard(w->gate, w->is, w->n);
	return w->found || fake_gate_ended(w->gate);
}

static struct heard *wait_for(struct fake_gate *g, bool (*is)(const struct heard *, uint32_t),
			      uint32_t n)
{
	struct wait w = {.gate = g, .is = is, .n = n};

	live_until(g->live, has_come, &w);
	if (!w.found)
		print_message("# the gate was ended: %s\n", g->gate->why);
	assert_non_null(w.found);
	return w.found;
}

struct heard *gate_hear(struct fake_gate *g, uint32_t id)
{
	return wait_for(g, is_answer_to, id);
}

struct heard *gate_hear_order(struct fake_gate *g, uint16_t verb)
{
	return wait_for(g, is_order, verb);
}

struct fake_gate *fake_gate_ready(struct live *l)
{
	struct fake_gate *g = fake_gate_new(l);
	HEARD *h = ASK(g, hello, HELLO, 0, .version = WIRE_VERSION);
	struct answer_hello m;

	READ(h, hello, &m);
	assert_int_equal(m.listeners, h->count);
	assert_true(m.host_keys.len > 100);
	return g;
}

uint64_t gate_session(struct fake_gate *g, const char *peer)
{
	HEARD *h = ASK(g, session_open, SESSION_OPEN, 0, .protocol = view_text("sftp"),
		       .peer = view_text(peer), .peer_port = 4711);
	struct answer_session_open m;

	READ(h, session_open, &m);
	return m.session;
}

uint64_t gate_log_in(struct fake_gate *g, const struct user *u)
{
	uint64_t session = gate_session(g, "192.0.2.1");
	HEARD *h = ASK(g, auth, AUTH, session, .step = AUTH_SIGNED, .user = view_text(u->name),
		       .key = view_buf(&u->key), .client = view_text("SSH-2.0-test"),
		       .cipher = view_text("aes256-gcm@openssh.com"));
	struct answer_auth m;

	READ(h, auth, &m);
	assert_true(view_is(m.name, u->name));
	return session;
}

/* ---- the log ---- */

static void open_sealed(struct keep *k, json_t *record)
{
	CLEANUP(buf_done) struct buf sealed = {0};
	CLEANUP(secret_free) struct secret *key = NULL;
	const char *name = json_string_value(json_object_get(record, "zone"));
	const char *hex = json_string_value(json_object_get(record, "object"));
	const struct zone *zone = NULL;
	struct node_row root;
	uint8_t object[ID_SIZE];

	if (!name || accounts_zone_by_name(k->accounts, view_text(name), &zone))
		return;
	assert_good(catalog_node_by_id(k->catalog, zone->row.root, &root));
	memcpy(object, root.object, sizeof object);
	if (hex)
		assert_good(hex_decode(view_text(hex), object, sizeof object));
	assert_good(catalog_object_key(k->catalog, object, &sealed));
	assert_good(object_key_open(k->keys, zone->keys, object, view_buf(&sealed), &key));
	assert_good(record_open(record, k->keys, key));
}

struct reading {
	struct keep *keep;
	json_t *list;
};

static int add_record(void *arg, uint64_t seq, struct view line)
{
	struct reading *r = arg;
	json_error_t e;
	json_t *record = json_loadb((const char *)line.data, line.len, JSON_REJECT_DUPLICATES, &e);

	assert_non_null(record);
	assert_int_equal(json_integer_value(json_object_get(record, "seq")), seq);
	open_sealed(r->keep, record);
	assert_int_equal(json_array_append_new(r->list, record), 0);
	return 0;
}

json_t *live_records(struct live *l)
{
	struct reading r = {l->keep, json_array()};
	struct trail_mark at;

	live_settle(l);
	audit_position(l->keep->audit, &at);
	assert_good(trail_read(live_state(l), &at, add_record, &r));
	return r.list;
}

size_t records_of(const json_t *records, const char *event, json_t **ret_last)
{
	size_t count = 0, i;
	json_t *r, *last = NULL;

	json_array_foreach(records, i, r)
	{
		if (strcmp(json_string_value(json_object_get(r, "event")), event) != 0)
			continue;
		count++;
		last = r;
	}
	if (ret_last)
		*ret_last = last;
	return count;
}

static bool is_swept(void *arg)
{
	const struct keep *keep = arg;

	return !keep->sweeping && is_settled(arg);
}

void live_check(struct live *l)
{
	CLEANUP(buf_done) struct buf problems = {0};
	struct trail_mark at;
	struct check *check = NULL;
	json_t *found = json_array();

	live_until(l, is_swept, l->keep);
	json_decref(live_records(l));
	audit_position(l->keep->audit, &at);
	assert_good(trail_verify(live_state(l), audit_origin(l->keep->audit),
				 audit_key(l->keep->audit), &at, &problems));
	if (problems.len)
		print_message("# %.*s\n", (int)problems.len, (const char *)problems.data);
	assert_int_equal(problems.len, 0);
	assert_good(check_new(l->keep, true, found, &check));
	assert_good(check_run(check));
	check_free(check);
	if (json_array_size(found)) {
		char *text = json_dumps(found, JSON_INDENT(1));
		print_message("# %s\n", text);
		free(text);
	}
	assert_int_equal(json_array_size(found), 0);
	json_decref(found);
}
