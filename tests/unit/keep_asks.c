/* SPDX-License-Identifier: Apache-2.0 */
#include "keep_asks.h"

uint8_t model[6 * CHUNK];

int scene_setup(void **state)
{
	struct scene *s = mem_new(sizeof *s);

	for (size_t i = 0; i < sizeof model; i++)
		model[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
	live_init(&s->live, NULL);
	live_open(&s->live);
	live_zone(&s->live, "acme", QUOTA);
	live_user(&s->live, "anna", ROLE_CLIENT, "acme", &s->anna);
	live_user(&s->live, "ben", ROLE_CLIENT, "acme", &s->ben);
	live_user(&s->live, "sam", ROLE_STAFF, "acme", &s->sam);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
	*state = s;
	return 0;
}

int scene_teardown(void **state)
{
	struct scene *s = *state;

	if (s->gate)
		fake_gate_free(s->gate);
	live_check(&s->live);
	live_close(&s->live);
	live_done(&s->live);
	user_done(&s->anna);
	user_done(&s->ben);
	user_done(&s->sam);
	free(s);
	return 0;
}

/* ---- uploads ---- */

struct upload put_taken(struct fake_gate *g, uint64_t session, struct heard *h)
{
	struct upload u = {.gate = g, .session = session, .fd = -1, .source = -1};

	if (h->f.status)
		print_message("# %d %s\n", h->f.status, h->text);
	assert_int_equal(h->f.status, 0);
	assert_good(lease_read(h->f.body, &u.m));
	assert_in_range(h->count, u.m.bare ? 0 : 1, u.m.bare ? 0 : 2);
	u.fd = h->count ? h->fds[0] : -1;
	u.source = h->count == 2 ? h->fds[1] : -1;
	h->count = 0;
	assert_true(u.m.digest.len <= sizeof u.digest && u.m.tail.len <= sizeof u.tail);
	memcpy(u.digest, u.m.digest.data, u.m.digest.len);
	memcpy(u.tail, u.m.tail.data, u.m.tail.len);
	u.tail_len = u.m.tail.len;
	u.m.digest = u.m.tail = view_of(NULL, 0);
	assert_good(
	    age_stream_from_key(view_of(u.m.payload_key, sizeof u.m.payload_key), &u.stream));
	heard_free(&h);
	return u;
}

struct upload put_opened(struct fake_gate *g, uint64_t session, const char *path, uint8_t flags)
{
	return put_taken(g, session,
			 ASK(g, put_open, PUT_OPEN, session, .path = view_text(path),
			     .flags = flags, .declared = SIZE_UNKNOWN));
}

void upload_done(struct upload *u)
{
	age_stream_free(&u->stream);
	sys_close(&u->fd);
	sys_close(&u->source);
}

void put_store(struct upload *u)
{
	struct answer_put_store m;

	if (!u->m.bare)
		return;
	HEARD *h = ASK(u->gate, put_store, PUT_STORE, u->m.put);
	READ(h, put_store, &m);
	assert_int_equal(h->count, 1);
	u->m.bare = 0;
	u->m.blob_offset = m.blob_offset;
	u->fd = TAKE_FD(h->fds[0]);
}

static void seal(struct upload *u, const uint8_t *plain, uint64_t index, size_t len, bool last)
{
	static uint8_t sealed[AGE_SEALED_CHUNK];

	if (u->m.bare && last && index == 0) {
		assert_good(age_stream_seal(u->stream, 0, true, view_of(plain, len), u->content));
		u->content_len = len + AGE_TAG;
		return;
	}
	put_store(u);
	assert_good(age_stream_seal(u->stream, index, last, view_of(plain, len), sealed));
	assert_good(sys_pwrite_all(u->fd, sealed, len + AGE_TAG,
				   u->m.blob_offset + index * AGE_SEALED_CHUNK));
}

void put_seal(struct upload *u, const uint8_t *plain, uint64_t first, uint64_t end)
{
	for (uint64_t i = first; i < end; i++)
		seal(u, plain + i * CHUNK, i, CHUNK, false);
}

void put_seal_all(struct upload *u, const uint8_t *plain, uint64_t size, uint64_t first)
{
	for (uint64_t i = first; i < age_chunk_count(size); i++)
		seal(u, plain + i * CHUNK, i, age_chunk_size(size, i), age_chunk_is_last(size, i));
}

void reseal(struct upload *v, uint64_t chunks)
{
	static uint8_t sealed[AGE_SEALED_CHUNK];
	CLEANUP(age_stream_free) struct age_stream *source = NULL;

	assert_good(age_stream_from_key(view_of(v->m.source_key, sizeof v->m.source_key), &source));
	for (uint64_t i = 0; i < chunks; i++) {
		assert_good(sys_pread_all(v->source, sealed, sizeof sealed,
					  v->m.source_offset + i * AGE_SEALED_CHUNK));
		assert_good(
		    age_stream_open(source, i, false, view_of(sealed, sizeof sealed), sealed));
		assert_memory_equal(sealed, model + i * CHUNK, CHUNK);
	}
	put_seal(v, model, 0, chunks);
}

uint32_t put_say_finish(struct upload *u, const uint8_t *plain, uint64_t size)
{
	uint8_t sha256[SHA256_SIZE];

	sha256_of(view_of(plain, (size_t)size), sha256);
	struct ask_put_finish m = {
	    .size = size, .mtime_s = 1700000000, .content = view_of(u->content, u->content_len)};
	memcpy(m.sha256, sha256, sizeof sha256);
	uint8_t *body = mem_new(SAY_MAX);
	struct writer w = writer_of(body, SAY_MAX);
	ask_put_finish_write(&w, &m);
	uint32_t id = gate_say(u->gate, VERB_PUT_FINISH, u->m.put, view_of(w.data, w.len));
	free(body);
	return id;
}

struct heard *put_finish(struct upload *u, const uint8_t *plain, uint64_t size)
{
	if (u->fd >= 0)
		assert_good(sys_sync_data(u->fd));
	upload_done(u);
	return gate_hear(u->gate, put_say_finish(u, plain, size));
}

struct heard *put_suspend_clean(struct upload *u, const uint8_t *plain, uint64_t sealed,
				size_t tail)
{
	struct sha256 h;
	uint8_t digest[SHA256_STATE_SIZE];

	sha256_init(&h);
	sha256_add(&h, plain, (size_t)sealed * CHUNK);
	sha256_save(&h, digest);
	put_store(u);
	assert_good(sys_sync_data(u->fd));
	upload_done(u);
	return ASK(u->gate, put_suspend, PUT_SUSPEND, u->m.put, .clean = 1,
		   .durable = sealed * CHUNK, .sealed = sealed,
		   .digest = view_of(digest, sizeof digest),
		   .tail = view_of(plain + sealed * CHUNK, tail), .mtime_s = TIME_UNKNOWN,
		   .reason = view_text("the client left"));
}

struct heard *put_suspend_unclean(struct upload *u, uint64_t durable)
{
	if (u->fd >= 0)
		assert_good(sys_sync_data(u->fd));
	upload_done(u);
	return ASK(u->gate, put_suspend, PUT_SUSPEND, u->m.put, .durable = durable,
		   .mtime_s = TIME_UNKNOWN, .reason = view_text("in a hurry"));
}

void put_whole(struct fake_gate *g, uint64_t session, const char *path, const uint8_t *plain,
	       uint64_t size)
{
	struct upload u = put_opened(g, session, path, PUT_CREATE | PUT_TRUNCATE);

	put_seal_all(&u, plain, size, 0);
	HEARD *h = put_finish(&u, plain, size);
	assert_answer(h, 0, "");
}

/* ---- what is seen ---- */

static bool nobody_can_write(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY ||
	       (seals > 0 && seals & F_SEAL_WRITE && seals & F_SEAL_GROW && seals & F_SEAL_SHRINK);
}

void expect_content(struct fake_gate *g, uint64_t session, const char *path, const uint8_t *plain,
		    uint64_t size)
{
	static uint8_t chunk[AGE_SEALED_CHUNK];
	HEARD *h = ASK(g, get_open, GET_OPEN, session, .path = view_text(path));
	CLEANUP(age_stream_free) struct age_stream *stream = NULL;
	struct answer_get_open m;

	READ(h, get_open, &m);
	assert_int_equal(h->count, 1);
	assert_true(nobody_can_write(h->fds[0]));
	assert_int_equal(m.size, size);
	assert_good(age_stream_from_key(view_of(m.payload_key, sizeof m.payload_key), &stream));
	for (uint64_t i = 0; i < age_chunk_count(size); i++) {
		size_t len = age_chunk_size(size, i);
		assert_good(sys_pread_all(h->fds[0], chunk, len + AGE_TAG,
					  m.blob_offset + i * AGE_SEALED_CHUNK));
		assert_good(age_stream_open(stream, i, age_chunk_is_last(size, i),
					    view_of(chunk, len + AGE_TAG), chunk));
		assert_memory_equal(chunk, plain + i * CHUNK, len);
	}
	HEARD *end = ASK(g, get_close, GET_CLOSE, m.get, .bytes = size);
	assert_answer(end, 0, "");
}

int stat_path(struct fake_gate *g, uint64_t session, const char *path, uint8_t *ret_kind,
	      uint64_t *ret_size)
{
	HEARD *h = ASK(g, stat, STAT, session, .path = view_text(path));
	struct attrs m;

	if (h->f.status)
		return h->f.status;
	assert_good(attrs_read(h->f.body, &m));
	*ret_kind = m.kind;
	*ret_size = m.size;
	return 0;
}

static void expect(struct fake_gate *g, uint64_t session, const char *path, uint8_t kind,
		   uint64_t size)
{
	uint8_t found = 0;
	uint64_t len = 0;

	assert_int_equal(stat_path(g, session, path, &found, &len), 0);
	assert_int_equal(found, kind);
	assert_int_equal(len, size);
}

void expect_partial(struct fake_gate *g, uint64_t session, const char *path, uint64_t size)
{
	expect(g, session, path, NODE_PARTIAL, size);
}

void expect_file(struct fake_gate *g, uint64_t session, const char *path, uint64_t size)
{
	expect(g, session, path, NODE_FILE, size);
}

void expect_nothing(struct fake_gate *g, uint64_t session, const char *path)
{
	uint8_t kind;
	uint64_t size;

	assert_int_equal(stat_path(g, session, path, &kind, &size), E_GONE);
}

struct zone_row zone_now(struct live *l, const char *name)
{
	struct zone_row row;

	assert_good(catalog_zone_by_name(l->keep->catalog, name, &row));
	return row;
}

size_t count_records(struct live *l, const char *event)
{
	json_t *records = live_records(l);
	size_t n = records_of(records, event, NULL);

	json_decref(records);
	return n;
}

void expect_record(struct live *l, const char *event, const char *member, const char *text)
{
	json_t *records = live_records(l), *last = NULL;
	char *found;

	assert_true(records_of(records, event, &last) > 0);
	found = json_dumps(json_object_get(last, member), JSON_ENCODE_ANY | JSON_COMPACT);
	assert_non_null(found);
	assert_string_equal(found, text);
	free(found);
	json_decref(records);
}

void expect_answer(struct heard *h, int status, const char *sentence)
{
	HEARD *mine = h;

	assert_answer(mine, status, sentence);
}

uint64_t session_of_sam(struct scene *s)
{
	return gate_log_in(s->gate, &s->sam);
}
