/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile_kit.h"

#include <dirent.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/keep/puts.h"

static const char marker[] = "honest"; /* in every name that is not eve's */
static const char open_path[] = "/acme/deliverables/open";
static const char beside[] = "/acme/incoming/honest-beside"; /* in the very folder of eve's */

enum { EVE_QUOTA = 16 << 20, BESIDE_SIZE = 500 };

struct tally tally;

void tally_print(void)
{
	print_message("# messages tried: %lu in %lu cases; of the cases %lu were answered, %lu "
		      "refused, %lu ended the gate\n",
		      tally.messages, tally.cases, tally.answered, tally.refused, tally.ended);
}

bool run_long(void)
{
	const char *wish = getenv("DROPKEEP_LONG");

	return wish && *wish;
}

static size_t count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

/* ---- setting up ---- */

static void put_delivery(struct siege *s)
{
	put_whole(s->honest, s->of_sam, open_path, model, OPEN_SIZE);
}

/* Where the honest work is done: a zone of which eve knows nothing. */
static void grant_role(struct live *l, const char *name, enum role role)
{
	struct principal_row who;
	struct zone_row zone;
	struct keep *k = l->keep;

	assert_good(catalog_principal_by_name(k->catalog, name, &who));
	assert_good(catalog_zone_by_name(k->catalog, "honestzone", &zone));
	assert_good(catalog_begin(k->catalog));
	assert_good(accounts_grant_role(k->accounts, who.id, role, zone.id));
	assert_good(catalog_commit(k->catalog));
	accounts_forget(k->accounts);
}

/* A zone of which eve may read the log. Nothing honest is done there. */
static void grant_log(struct siege *s)
{
	struct zone_row zone;
	struct keep *k = s->live.keep;

	live_zone(&s->live, "evezone", 0);
	assert_good(catalog_zone_by_name(k->catalog, "evezone", &zone));
	assert_good(catalog_begin(k->catalog));
	assert_good(accounts_grant(k->accounts, s->eve_id, zone.id, "", RIGHT_AUDIT));
	assert_good(catalog_commit(k->catalog));
	accounts_forget(k->accounts);
}

static void add_credential(struct siege *s, struct credential_row *row)
{
	row->principal = s->eve_id;
	(void)snprintf(row->networks, sizeof row->networks, "%s", EVE_NETWORKS);
	assert_good(catalog_credential_add(s->live.keep->catalog, row));
}

/* A certificate and a token, beside her key. */
static void equip_eve(struct siege *s)
{
	struct credential_row row;

	assert_good(random_bytes(s->eve_spki, sizeof s->eve_spki));
	assert_good(certificate_credential(view_of(s->eve_spki, sizeof s->eve_spki), &row));
	add_credential(s, &row);
	assert_good(token_make(s->eve_token));
	assert_good(token_credential(view_text(s->eve_token), &row));
	add_credential(s, &row);
}

uint64_t siege_https(struct siege *s, const char *peer)
{
	HEARD *h = ASK(s->hostile, session_open, SESSION_OPEN, 0, .protocol = view_text("https"),
		       .peer = view_text(peer), .peer_port = 4711);
	struct answer_session_open m;

	READ(h, session_open, &m);
	return m.session;
}

int siege_setup(void **state)
{
	struct siege *s = mem_new(sizeof *s);
	struct principal_row eve;

	for (size_t i = 0; i < sizeof model; i++)
		model[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
	live_init(&s->live, NULL);
	live_open(&s->live);
	live_zone(&s->live, "acme", EVE_QUOTA);
	live_zone(&s->live, "honestzone", 0);
	live_user(&s->live, "anna", ROLE_CLIENT, "acme", &s->anna);
	live_user(&s->live, "sam", ROLE_STAFF, "acme", &s->sam);
	live_user(&s->live, "eve", ROLE_CLIENT, "acme", &s->eve);
	grant_role(&s->live, "anna", ROLE_CLIENT);
	grant_role(&s->live, "sam", ROLE_STAFF);
	assert_good(catalog_principal_by_name(s->live.keep->catalog, "eve", &eve));
	s->eve_id = eve.id;
	grant_log(s);
	equip_eve(s);
	s->honest = fake_gate_ready(&s->live);
	s->of_anna = gate_log_in(s->honest, &s->anna);
	s->of_sam = gate_log_in(s->honest, &s->sam);
	put_delivery(s);
	put_whole(s->honest, s->of_anna, beside, model, BESIDE_SIZE);
	live_check(&s->live);
	s->descriptors = count_descriptors();
	siege_renew(s);
	*state = s;
	return 0;
}

/* ---- what eve's gate may hear ---- */

static bool is_eves(const struct siege *s, const uint8_t blob[ID_SIZE])
{
	struct version_row v = {0};
	struct node_row node;
	int rc;

	while ((rc = catalog_version_next(s->live.keep->catalog, v.id, &v)) == 0)
		if (memcmp(v.blob, blob, ID_SIZE) == 0)
			break;
	err_clear();
	if (rc || v.uploader == s->eve_id)
		return true; /* an upload: only eve's own ever reach this gate */
	assert_good(catalog_node_by_id(s->live.keep->catalog, v.node, &node));
	return v.size == OPEN_SIZE; /* delivered to every client */
}

/* Parts of the log, tiny files: what is honest does not stand there in clear. */
static void look_at_memory(int fd)
{
	uint64_t size = 0;

	assert_good(sys_size(fd, &size));
	uint8_t *all = mem_new((size_t)size + 1);
	assert_good(sys_pread_all(fd, all, (size_t)size, 0));
	assert_null(memmem(all, (size_t)size, marker, sizeof marker - 1));
	free(all);
}

static void look_at_fd(const struct siege *s, int fd)
{
	char link[64], path[256] = "";
	uint8_t blob[ID_SIZE];

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	assert_true(n > 0);
	const char *name = strrchr(path, '/');
	if (strstr(path, "/memfd:"))
		look_at_memory(fd);
	if (!name || !strstr(path, "/blobs/"))
		return;
	assert_good(hex_decode(view_of(name + 1, 2 * ID_SIZE), blob, sizeof blob));
	assert_true(is_eves(s, blob));
}

static void forget_heard(struct siege *s)
{
	while (s->hostile->heard) {
		struct heard *h = s->hostile->heard;
		s->hostile->heard = h->next;
		assert_null(memmem(h->packet, LINK_HEADER + h->f.body.len, marker, 6));
		for (unsigned i = 0; i < h->count; i++)
			look_at_fd(s, h->fds[i]);
		heard_free(&h);
	}
}

static bool never(const struct heard *h, uint32_t n)
{
	(void)h;
	(void)n;
	return false;
}

static void listen_to_all(struct siege *s)
{
	if (s->hostile->socket >= 0)
		assert_null(gate_heard(s->hostile, never, 0));
	forget_heard(s);
}

static void end_hostile(struct siege *s)
{
	if (!s->hostile)
		return;
	listen_to_all(s);
	fake_gate_die(s->hostile);
	assert_int_equal(s->hostile->gate->sessions, 0);
	assert_int_equal(s->hostile->gate->uploads, 0);
	assert_int_equal(s->hostile->gate->downloads, 0);
	assert_int_equal(s->hostile->gate->asks, 0);
	assert_int_equal(s->hostile->gate->refs, 1);
	fake_gate_free(s->hostile);
	s->hostile = NULL;
}

void siege_renew(struct siege *s)
{
	end_hostile(s);
	s->hostile = fake_gate_ready(&s->live);
	s->of_eve = gate_log_in(s->hostile, &s->eve);
	forget_heard(s);
}

int siege_teardown(void **state)
{
	struct siege *s = *state;

	end_hostile(s);
	siege_work(s);
	siege_check(s);
	assert_int_equal(count_descriptors(), s->descriptors);
	fake_gate_free(s->honest);
	live_check(&s->live);
	live_close(&s->live);
	live_done(&s->live);
	user_done(&s->anna);
	user_done(&s->sam);
	user_done(&s->eve);
	free(s);
	return 0;
}

/* ---- saying and hearing ---- */

uint32_t hostile_say(struct siege *s, uint16_t verb, uint64_t subject, struct view body)
{
	tally.messages++;
	return gate_say(s->hostile, verb, subject, body);
}

void hostile_raw(struct siege *s, struct view packet, const int *fds, unsigned count)
{
	tally.messages++;
	gate_say_raw(s->hostile, packet, fds, count);
}

static size_t parked(const struct keep *keep)
{
	size_t cursor = 0, n = 0;
	const struct put *p;

	while ((p = slots_next(&keep->sessions.uploads, &cursor)))
		for (const struct ask *a = p->waiting; a; a = a->parked_next)
			n++;
	return n;
}

static struct heard *hear_or_end(struct siege *s, uint32_t id)
{
	struct keep *keep = s->live.keep;
	int64_t until = clock_mono_ms() + 20000;
	struct heard *h = NULL;

	while (!fake_gate_ended(s->hostile) && !(h = gate_heard(s->hostile, is_answer_to, id))) {
		(void)uv_run(&keep->loop, UV_RUN_NOWAIT);
		if (parked(keep) && deeds_under_way(keep->deeds) == parked(keep))
			puts_watch(keep, clock_mono_ms() + YIELD_PATIENCE_MS + 1);
		assert_true(clock_mono_ms() < until);
	}
	return h;
}

static void expect_reason(const struct siege *s, const char *reason)
{
	const char *why = s->hostile->gate->why;

	if (reason && !strstr(why, reason))
		print_message("# ended for another reason: %s\n", why);
	assert_true(!reason || strstr(why, reason));
}

int siege_outcome(struct siege *s, uint32_t id, const char *reason)
{
	struct heard *h = hear_or_end(s, id);
	int rc = h ? h->f.status : E_PROTOCOL;

	tally.cases++;
	if (h) { /* back among the others, to be looked at */
		h->next = s->hostile->heard;
		s->hostile->heard = h;
		tally.answered += rc == 0;
		tally.refused += rc != 0;
	} else {
		tally.ended++;
		expect_reason(s, reason);
		if (s->hostile->gate->why[0] == '\0')
			print_message("# ended without a reason\n");
		assert_true(s->hostile->gate->why[0]);
	}
	siege_work(s);
	listen_to_all(s);
	return rc;
}

static bool has_ended(void *arg)
{
	return fake_gate_ended(arg);
}

void siege_ends(struct siege *s, const char *reason)
{
	live_until(&s->live, has_ended, s->hostile);
	tally.cases++;
	tally.ended++;
	expect_reason(s, reason);
	siege_work(s);
	siege_renew(s);
}

/* ---- honest work ---- */

/* One name, on however many pages: what eve leaves, which is not anna's to see, may fill some. */
static void expect_listing(struct siege *s, const char *folder, const char *name)
{
	struct answer_list m = {0};
	struct entry e;
	unsigned found = 0;

	while (!m.end) {
		HEARD *h = ASK(s->honest, list, LIST, s->of_anna, .path = view_text(folder),
			       .cursor = m.cursor);
		READ(h, list, &m);
		struct reader r = reader_of(m.entries);
		for (; entry_next(&r, &e); found++)
			assert_true(view_is(e.name, name));
		assert_true(reader_end(&r));
	}
	assert_int_equal(found, 1);
}

/* An upload with a pause in the middle, every now and then. */
static void put_in_two(struct siege *s, const char *path, uint64_t size)
{
	struct upload u = put_opened(s->honest, s->of_anna, path, PUT_CREATE);

	put_seal(&u, model, 0, 1);
	expect_answer(put_suspend_clean(&u, model, 1, 100), 0, "");
	u = put_opened(s->honest, s->of_anna, path, 0);
	assert_int_equal(u.m.sealed, 1);
	assert_int_equal(u.tail_len, 100);
	put_seal_all(&u, model, size, 1);
	expect_answer(put_finish(&u, model, size), 0, "");
}

/* All of it now and then, as it costs some milliseconds; else whether anybody is served. */
void siege_work(struct siege *s)
{
	char name[32], path[64];
	uint64_t size = (s->work * 977) % 5000;

	if (s->work++ % 8) {
		expect_file(s->honest, s->of_anna, open_path, OPEN_SIZE);
		return;
	}
	(void)snprintf(name, sizeof name, "honest-%u", s->work);
	(void)snprintf(path, sizeof path, "/honestzone/incoming/%s", name);
	if (s->work % 64 == 1)
		put_in_two(s, path, size += CHUNK + 101);
	else
		put_whole(s->honest, s->of_anna, path, model, size);
	expect_listing(s, "/honestzone/incoming", name);
	expect_listing(s, "/acme/incoming", "honest-beside");
	expect_content(s->honest, s->of_sam, path, model, size);
	expect_content(s->honest, s->of_sam, beside, model, BESIDE_SIZE);
	expect_answer(ASK(s->honest, remove, REMOVE, s->of_anna, .path = view_text(path)), 0, "");
}

void siege_check(struct siege *s)
{
	live_check(&s->live);
	assert_false(fake_gate_ended(s->honest));
}

const char *eve_path(struct siege *s)
{
	static char path[64];

	(void)snprintf(path, sizeof path, "/acme/incoming/eve-%u", ++s->files);
	return path;
}
