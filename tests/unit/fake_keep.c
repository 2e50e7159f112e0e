/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_keep.h"

#include <assert.h>
#include <pthread.h>
#include <unistd.h>

#include "age/stream.h"
#include "base/mem.h"
#include "base/sys.h"

#define MUST(call)                                                            \
	do {                                                                  \
		int rc_ = (call);                                             \
		if (rc_) {                                                    \
			(void)fprintf(stderr, "%s: %s\n", #call, err_text()); \
			abort();                                              \
		}                                                             \
	} while (0)

/* --- the watch over sealing --- */

static pthread_mutex_t watch = PTHREAD_MUTEX_INITIALIZER;
/* A sanitizer gives no address twice, so all that were ever made are in it. */
enum { STREAMS = 1 << 16 };

static struct stream_key {
	const struct age_stream *stream;
	uint8_t key[32];
} streams[STREAMS];
static unsigned stream_count;
static struct sealing {
	uint8_t key[32];
	uint64_t index;
} * sealings;
static size_t sealing_count, sealing_cap;
_Atomic unsigned fake_sealed, fake_opened;
_Atomic unsigned fake_fail_sync, fake_fail_write;
bool fake_unwatched;

int __real_age_stream_from_key(struct view key, struct age_stream **ret_stream);
int __wrap_age_stream_from_key(struct view key, struct age_stream **ret_stream);
int __wrap_age_stream_from_key(struct view key, struct age_stream **ret_stream)
{
	int rc = __real_age_stream_from_key(key, ret_stream);

	pthread_mutex_lock(&watch);
	for (unsigned i = 0; !rc && i < stream_count; i++)
		if (streams[i].stream == *ret_stream)
			streams[i] = streams[--stream_count];
	if (!rc) {
		assert(stream_count < STREAMS);
		streams[stream_count].stream = *ret_stream;
		memcpy(streams[stream_count++].key, key.data, 32);
	}
	pthread_mutex_unlock(&watch);
	return rc;
}

static void note_sealing(const uint8_t *key, uint64_t index)
{
	for (size_t i = 0; i < sealing_count; i++)
		if (sealings[i].index == index && memcmp(sealings[i].key, key, 32) == 0) {
			(void)fprintf(stderr, "chunk %llu was sealed twice under one key\n",
				      (unsigned long long)index);
			abort();
		}
	if (sealing_count == sealing_cap) {
		sealing_cap = sealing_cap ? sealing_cap * 2 : 1024;
		sealings = realloc(sealings, sealing_cap * sizeof *sealings);
		assert(sealings);
	}
	memcpy(sealings[sealing_count].key, key, 32);
	sealings[sealing_count++].index = index;
}

int __real_age_stream_seal(const struct age_stream *stream, uint64_t index, bool last,
			   struct view plain, uint8_t *ret_sealed);
int __wrap_age_stream_seal(const struct age_stream *stream, uint64_t index, bool last,
			   struct view plain, uint8_t *ret_sealed);
int __wrap_age_stream_seal(const struct age_stream *stream, uint64_t index, bool last,
			   struct view plain, uint8_t *ret_sealed)
{
	fake_sealed++;
	if (!fake_unwatched) {
		pthread_mutex_lock(&watch);
		unsigned i = 0;
		while (i < stream_count && streams[i].stream != stream)
			i++;
		assert(i < stream_count);
		note_sealing(streams[i].key, index);
		pthread_mutex_unlock(&watch);
	}
	return __real_age_stream_seal(stream, index, last, plain, ret_sealed);
}

int __real_age_stream_open(const struct age_stream *stream, uint64_t index, bool last,
			   struct view sealed, uint8_t *ret_plain);
int __wrap_age_stream_open(const struct age_stream *stream, uint64_t index, bool last,
			   struct view sealed, uint8_t *ret_plain);
int __wrap_age_stream_open(const struct age_stream *stream, uint64_t index, bool last,
			   struct view sealed, uint8_t *ret_plain)
{
	fake_opened++;
	return __real_age_stream_open(stream, index, last, sealed, ret_plain);
}

int __real_sys_sync_data(int fd);
int __wrap_sys_sync_data(int fd);
int __wrap_sys_sync_data(int fd)
{
	if (fake_fail_sync && --fake_fail_sync == 0)
		return fail(E_IO, "fdatasync: the disk is gone");
	return __real_sys_sync_data(fd);
}

int __real_sys_pwrite_all(int fd, const void *data, size_t len, uint64_t offset);
int __wrap_sys_pwrite_all(int fd, const void *data, size_t len, uint64_t offset);
int __wrap_sys_pwrite_all(int fd, const void *data, size_t len, uint64_t offset)
{
	if (fake_fail_write == 1)
		return fail(E_FULL, "write: no space left");
	if (fake_fail_write)
		fake_fail_write--;
	return __real_sys_pwrite_all(fd, data, len, offset);
}

/* --- blobs --- */

static void new_blob(struct keeper *k, struct fake_blob *b)
{
	CLEANUP(sys_close) int fd = -1;

	memset(b, 0, sizeof *b);
	(void)snprintf(b->path, sizeof b->path, "%s/blob%u", k->dir, ++k->numbers);
	MUST(random_bytes(b->key, sizeof b->key));
	b->offset = 100 + b->key[0];
	MUST(sys_open(AT_FDCWD, b->path, O_RDWR | O_CREAT | O_EXCL, 0600, &fd));
}

static void drop_blob(struct fake_blob *b)
{
	if (b->path[0])
		(void)unlink(b->path);
	memset(b, 0, sizeof *b);
}

/* The lease check of DESIGN.md: whoever says that it has closed a blob has. */
static void must_be_closed(const struct fake_blob *b)
{
	CLEANUP(sys_close) int fd = -1;
	bool none = false;

	MUST(sys_open(AT_FDCWD, b->path, O_RDONLY, 0, &fd));
	MUST(sys_no_writer(fd, &none));
	assert(none);
}

void fake_blob_write(struct keeper *k, struct view plain, struct fake_blob *ret_blob)
{
	CLEANUP(sys_close) int fd = -1;
	CLEANUP(age_stream_free) struct age_stream *s = NULL;
	static uint8_t sealed[AGE_SEALED_CHUNK];

	new_blob(k, ret_blob);
	ret_blob->size = plain.len;
	ret_blob->finished = true;
	MUST(age_stream_from_key(view_of(ret_blob->key, 32), &s));
	MUST(sys_open(AT_FDCWD, ret_blob->path, O_RDWR, 0, &fd));
	for (uint64_t i = 0; i < age_chunk_count(plain.len); i++) {
		struct view v = view_of(plain.data + i * AGE_CHUNK, age_chunk_size(plain.len, i));
		MUST(age_stream_seal(s, i, age_chunk_is_last(plain.len, i), v, sealed));
		MUST(sys_pwrite_all(fd, sealed, v.len + AGE_TAG,
				    ret_blob->offset + i * AGE_SEALED_CHUNK));
	}
}

void fake_blob_read(const struct fake_blob *b, uint64_t size, bool finished, uint8_t *ret_plain)
{
	CLEANUP(sys_close) int fd = -1;
	CLEANUP(age_stream_free) struct age_stream *s = NULL;
	static uint8_t sealed[AGE_SEALED_CHUNK];
	uint64_t end = 0, length = 0;

	assert(finished || size % AGE_CHUNK == 0);
	MUST(age_stream_from_key(view_of(b->key, 32), &s));
	MUST(sys_open(AT_FDCWD, b->path, O_RDONLY, 0, &fd));
	for (uint64_t i = 0; finished ? i < age_chunk_count(size) : i < size / AGE_CHUNK; i++) {
		size_t len = age_chunk_size(size, i);
		MUST(sys_pread_all(fd, sealed, len + AGE_TAG, b->offset + i * AGE_SEALED_CHUNK));
		MUST(age_stream_open(s, i, finished && age_chunk_is_last(size, i),
				     view_of(sealed, len + AGE_TAG), sealed));
		memcpy(ret_plain + i * AGE_CHUNK, sealed, len);
		end = b->offset + i * AGE_SEALED_CHUNK + len + AGE_TAG;
	}
	MUST(sys_size(fd, &length));
	assert(!finished || length == end);
}

/* --- asks --- */

struct ask {
	int unused;
};

struct fake_tasks {
	struct fake_tasks *next;
	enum verb verb;
	uint64_t subject;
	struct buf body;
	keeper_answered *done;
	void *arg;
};

static uint8_t packet[LINK_MAX];

struct out {
	int status;
	const char *text;
	struct writer w;
	int fds[2];
	unsigned fd_count;
};

static void give_fd(struct out *o, const struct fake_blob *b, int flags)
{
	int fd = -1;

	MUST(sys_open(AT_FDCWD, b->path, flags, 0, &fd));
	o->fds[o->fd_count++] = fd;
}

static uint64_t grant(const struct keeper *k, uint64_t size)
{
	uint64_t most = k->quota;

	return size + k->first_grant < most ? size + k->first_grant : most;
}

static void give_blob(const struct keeper *k, struct out *o)
{
	if (k->bad_fd >= 0)
		o->fds[o->fd_count++] = dup(k->bad_fd);
	else
		give_fd(o, &k->blob, O_RDWR);
}

static void send_lease(struct keeper *k, struct lease *l, struct out *o)
{
	l->put = k->number;
	l->bare = k->bare;
	l->blob_offset = k->bare ? 0 : k->blob.offset;
	memcpy(l->payload_key, k->blob.key, 32);
	if (l->granted == 0)
		l->granted = grant(k, l->size);
	if (!k->bare)
		give_blob(k, o);
	if (l->prefix) {
		l->source_finished = k->source.finished;
		l->source_size = k->source.size;
		l->source_offset = k->source.offset;
		memcpy(l->source_key, k->source.key, 32);
		give_fd(o, &k->source, O_RDONLY);
	}
	if (k->no_fds)
		while (o->fd_count)
			(void)close(o->fds[--o->fd_count]);
	if (k->spoil)
		k->spoil(l);
	lease_write(&o->w, l);
}

/* What stands already of an upload that is opened, and where it goes on. */
static void go_on(struct keeper *k, struct lease *l)
{
	if (k->partial && !k->bare) { /* the durable beginning goes into a new blob */
		drop_blob(&k->source);
		k->source = k->blob;
		k->source.size = k->durable;
		memset(&k->blob, 0, sizeof k->blob);
		k->has_source = k->durable > 0;
		if (k->clean)
			l->tail = view_of(k->tail_bytes, k->tail_len);
	}
	bool tiny = k->has_source && k->source.finished && k->source.size <= AGE_CHUNK;
	k->bare = !k->blobs_at_once && (tiny || !k->has_source);
	if (k->bare && tiny) {
		fake_blob_read(&k->source, k->source.size, true, k->tail_bytes);
		l->tail = view_of(k->tail_bytes, k->source.size);
	} else if (k->has_source) {
		l->prefix = k->source.size;
	}
	l->size = l->prefix + l->tail.len;
}

static void heard_open(struct keeper *k, struct ask_put_open m)
{
	assert(m.match.len <= sizeof k->match && m.ticket.len <= sizeof k->asked_ticket);
	if (m.match.len)
		memcpy(k->match, m.match.data, m.match.len);
	if (m.ticket.len)
		memcpy(k->asked_ticket, m.ticket.data, m.ticket.len);
	m.match.data = k->match;
	m.ticket.data = k->asked_ticket;
	m.path = view_of(NULL, 0);
	k->opened = m;
}

static void on_put_open(struct keeper *k, struct view body, struct out *o)
{
	struct ask_put_open m;
	struct lease l = {.declared = SIZE_UNKNOWN};

	MUST(ask_put_open_read(body, &m));
	assert(!k->writing);
	heard_open(k, m);
	k->writing = true;
	k->number = ++k->numbers;
	if (m.flags & PUT_TRUNCATE)
		k->partial = k->has_source = false;
	if (k->partial && k->clean && !k->restarted) {
		l.sealed = k->sealed;
		l.digest = view_of(k->digest, k->sealed ? sizeof k->digest : 0);
		l.tail = view_of(k->tail_bytes, k->tail_len);
		l.size = k->sealed * AGE_CHUNK + k->tail_len;
		k->partial = k->bare = false;
		send_lease(k, &l, o);
		return;
	}
	go_on(k, &l);
	k->partial = false;
	drop_blob(&k->blob);
	new_blob(k, &k->blob);
	if (m.declared != SIZE_UNKNOWN)
		l.granted = m.declared < k->quota ? m.declared : k->quota;
	send_lease(k, &l, o);
}

static void on_put_extend(struct keeper *k, struct view body, struct out *o)
{
	struct ask_put_extend m;

	MUST(ask_put_extend_read(body, &m));
	k->wanted[k->asks[VERB_PUT_EXTEND] % 64] = m.wanted;
	assert(m.durable % AGE_CHUNK == 0 && (!k->bare || !m.durable));
	k->extend_durable = m.durable;
	if (m.wanted > k->quota) {
		o->status = E_QUOTA;
		o->text = "the zone is full, says the fake keep";
		return;
	}
	struct answer_put_extend a = {.granted = m.wanted};
	answer_put_extend_write(&o->w, &a);
}

static void on_put_rekey(struct keeper *k, struct view body, struct out *o)
{
	struct ask_put_rekey m;
	struct lease l = {.declared = SIZE_UNKNOWN};

	MUST(ask_put_rekey_read(body, &m));
	assert(!k->bare);
	must_be_closed(&k->blob);
	assert(m.durable % AGE_CHUNK == 0);
	if (k->wavers && k->has_source && m.durable < k->source.size) {
		drop_blob(&k->blob);
	} else {
		drop_blob(&k->source);
		k->source = k->blob;
		k->source.size = m.durable;
		k->source.finished = false;
		k->has_source = m.durable > 0;
	}
	new_blob(k, &k->blob);
	l.prefix = l.size = k->has_source ? k->source.size : 0;
	send_lease(k, &l, o);
}

static void on_put_store(struct keeper *k, struct out *o)
{
	struct answer_put_store a = {.blob_offset = k->blob.offset};

	assert(k->bare);
	k->bare = false;
	if (!k->no_fds)
		give_blob(k, o);
	answer_put_store_write(&o->w, &a);
}

static void on_put_suspend(struct keeper *k, struct view body)
{
	struct ask_put_suspend m;

	MUST(ask_put_suspend_read(body, &m));
	if (k->bad_fd < 0)
		must_be_closed(&k->blob);
	k->writing = false;
	k->partial = true;
	k->clean = m.clean;
	k->sealed = m.sealed;
	k->durable = m.durable;
	assert(!m.clean || m.durable == m.sealed * AGE_CHUNK);
	assert(!k->bare || (!m.clean && !m.durable));
	assert(m.clean ? m.digest.len == SHA256_STATE_SIZE && m.tail.len <= AGE_CHUNK
		       : m.digest.len == 0 && m.tail.len == 0 && m.sealed == 0);
	if (m.clean)
		memcpy(k->digest, m.digest.data, m.digest.len);
	if (m.tail.len)
		memcpy(k->tail_bytes, m.tail.data, m.tail.len);
	k->tail_len = m.tail.len;
	k->mtime_s = m.mtime_s;
	(void)snprintf(k->reason, sizeof k->reason, "%.*s", (int)m.reason.len,
		       (const char *)m.reason.data);
	m.digest = m.tail = m.reason = view_of(NULL, 0);
	k->suspended = m;
}

/* A tiny file, told apart from others by nothing but how it came. */
static void put_content(const struct fake_blob *b, struct view sealed)
{
	CLEANUP(sys_close) int fd = -1;

	MUST(sys_open(AT_FDCWD, b->path, O_RDWR, 0, &fd));
	MUST(__real_sys_pwrite_all(fd, sealed.data, sealed.len, b->offset));
}

static void on_put_finish(struct keeper *k, struct view body, struct out *o)
{
	const struct answer_put_finish answer = {.record = 4711, .replaced = k->published};
	struct ask_put_finish m;

	MUST(ask_put_finish_read(body, &m));
	assert(k->bare == (m.content.len > 0));
	if (k->bare)
		put_content(&k->blob, m.content);
	must_be_closed(&k->blob);
	k->writing = false;
	k->published = true;
	k->has_source = false;
	drop_blob(&k->done);
	k->done = k->blob;
	k->done.size = m.size;
	k->done.finished = true;
	memset(&k->blob, 0, sizeof k->blob);
	memcpy(k->sha256, m.sha256, 32);
	k->mtime_s = m.mtime_s;
	answer_put_finish_write(&o->w, &answer);
}

static void on_put_drop(struct keeper *k, struct view body)
{
	struct ask_put_drop m;

	MUST(ask_put_drop_read(body, &m));
	if (k->bad_fd < 0)
		must_be_closed(&k->blob);
	k->writing = false;
	(void)snprintf(k->reason, sizeof k->reason, "%.*s", (int)m.reason.len,
		       (const char *)m.reason.data);
	m.reason = view_of(NULL, 0);
	k->dropped = m;
	drop_blob(&k->blob);
}

static void on_get_open(struct keeper *k, struct out *o)
{
	struct answer_get_open a = {.get = k->number = ++k->numbers,
				    .blob_offset = k->done.offset,
				    .kind = NODE_FILE,
				    .rights = RIGHT_READ,
				    .size = k->done.size,
				    .mtime_s = 42,
				    .owner = 7,
				    .owner_name = view_text("acme")};

	memcpy(a.payload_key, k->done.key, 32);
	if (!k->no_fds)
		give_fd(o, &k->done, O_RDONLY);
	answer_get_open_write(&o->w, &a);
}

static void on_get_close(struct keeper *k, struct view body)
{
	struct ask_get_close m;

	MUST(ask_get_close_read(body, &m));
	struct reader r = reader_of(m.ranges);
	k->get_bytes = m.bytes;
	k->get_code = m.code;
	k->get_ranges = 0;
	assert(m.ranges.len % 16 == 0 && m.ranges.len / 16 <= GET_RANGES_MAX);
	while (r.left) {
		k->get_range[k->get_ranges][0] = read_u64(&r);
		k->get_range[k->get_ranges++][1] = read_u64(&r);
	}
}

static void handle(struct keeper *k, const struct fake_tasks *t, struct out *o)
{
	struct view body = view_buf(&t->body);

	if (t->verb == VERB_PUT_OPEN)
		on_put_open(k, body, o);
	else if (t->verb == VERB_PUT_EXTEND)
		on_put_extend(k, body, o);
	else if (t->verb == VERB_PUT_REKEY)
		on_put_rekey(k, body, o);
	else if (t->verb == VERB_PUT_STORE)
		on_put_store(k, o);
	else if (t->verb == VERB_PUT_SUSPEND)
		on_put_suspend(k, body);
	else if (t->verb == VERB_PUT_FINISH)
		on_put_finish(k, body, o);
	else if (t->verb == VERB_PUT_DROP)
		on_put_drop(k, body);
	else if (t->verb == VERB_GET_OPEN)
		on_get_open(k, o);
	else if (t->verb == VERB_GET_CLOSE)
		on_get_close(k, body);
	else
		abort();
}

static void answer(struct keeper *k, struct fake_tasks *t)
{
	struct out o = {.w = writer_of(packet, sizeof packet)};
	bool in_put = t->verb > VERB_PUT_OPEN && t->verb <= VERB_PUT_STORE;

	assert(!in_put || (k->writing && t->subject == k->number));
	k->asks[t->verb]++;
	if (t->verb == k->refuse && k->asks[t->verb] > k->refuse_after) {
		o.status = k->refuse_rc;
		o.text = "refused by the fake keep";
		if (t->verb == VERB_PUT_FINISH || t->verb == VERB_PUT_SUSPEND)
			k->writing = false;
	} else {
		handle(k, t, &o);
	}
	if (o.status) {
		o.w = writer_of(packet, sizeof packet);
		write_bytes(&o.w, view_text(o.text));
	}
	assert(!o.w.full);
	struct answer a = {o.status, view_of(packet, o.w.len), o.fds, o.fd_count};
	if (t->done)
		t->done(t->arg, &a);
	for (unsigned i = 0; i < o.fd_count; i++)
		sys_close(&o.fds[i]);
}

static void on_timer(uv_timer_t *timer)
{
	struct keeper *k = timer->data;
	struct fake_tasks *t = k->tasks;

	if (t) {
		k->tasks = t->next;
		if (!k->tasks)
			k->tail = &k->tasks;
		answer(k, t);
		buf_wipe(&t->body);
		free(t);
	}
	if (k->tasks)
		(void)uv_timer_start(timer, on_timer, k->delay_ms, 0);
}

struct ask *keeper_ask(struct keeper *k, enum verb verb, uint64_t subject, struct view body,
		       keeper_answered *done, void *arg)
{
	static struct ask nobody_forgets;
	struct fake_tasks *t = mem_new(sizeof *t);

	t->verb = verb;
	t->subject = subject;
	MUST(buf_add(&t->body, body.data, body.len));
	t->done = done;
	t->arg = arg;
	*k->tail = t;
	k->tail = &t->next;
	if (!uv_is_active((uv_handle_t *)&k->timer))
		(void)uv_timer_start(&k->timer, on_timer, k->delay_ms, 0);
	return &nobody_forgets;
}

#define VERB(number, NAME, name, phase, fds)                                                 \
	struct ask *keeper_ask_##name(struct keeper *k, uint64_t subject,                    \
				      const struct ask_##name *m, keeper_answered *done,     \
				      void *arg)                                             \
	{                                                                                    \
		static uint8_t room[LINK_MAX];                                               \
		struct writer w = writer_of(room, sizeof room);                              \
		ask_##name##_write(&w, m);                                                   \
		assert(!w.full);                                                             \
		return keeper_ask(k, VERB_##NAME, subject, view_of(room, w.len), done, arg); \
	}
WIRE_ASKS(VERB)
#undef VERB

struct keeper *fake_new(uv_loop_t *loop)
{
	struct keeper *k = mem_new(sizeof *k);
	const char *tmp = getenv("TMPDIR");

	k->loop = loop;
	k->tail = &k->tasks;
	k->quota = UINT64_MAX / 2;
	k->first_grant = 1 << 30;
	k->bad_fd = -1;
	(void)snprintf(k->dir, sizeof k->dir, "%s/fake-keep-XXXXXX", tmp ? tmp : "/tmp");
	assert(mkdtemp(k->dir));
	(void)uv_timer_init(loop, &k->timer);
	k->timer.data = k;
	return k;
}

void fake_free(struct keeper *k)
{
	assert(!k->tasks && !k->writing);
	uv_close((uv_handle_t *)&k->timer, NULL);
	(void)uv_run(k->loop, UV_RUN_DEFAULT);
	drop_blob(&k->blob);
	drop_blob(&k->source);
	drop_blob(&k->done);
	(void)rmdir(k->dir);
	sealing_count = 0; /* their keys are gone for good */
	free(k);
}
