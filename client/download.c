/* SPDX-License-Identifier: Apache-2.0 */
#include "client/download.h"

#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "client/progress.h"
#include "client/target.h"

/* A download while it runs: into a file, or down a stream. */
struct run {
	struct session *s;
	struct download *d;
	struct target *target; /* NULL for a stream */
	int stream;
	struct sha256 stream_hash;
	uint64_t streamed;
	bool obsolete; /* the server has another file by now */
	struct answer answer;
};

int download_ask(struct session *s, struct download *d)
{
	CLEANUP(answer_done) struct answer a = {0};
	int rc = session_head(s, d->from, &a);

	if (rc)
		return rc;
	if (!a.has_size || !answer_hash(&a, d->hash))
		return fail(E_PROTOCOL, "the server says neither size nor SHA-256 of a file");
	d->has_hash = true;
	d->size = a.size;
	d->modified_s = a.has_modified ? a.modified_s : 0;
	return 0;
}

static uint64_t have(const struct run *r)
{
	return r->target ? r->target->have : r->streamed;
}

/* The whole file though a part was asked for: from the beginning, then. A stream cannot. */
static int start_over(struct run *r)
{
	progress_back(have(r));
	if (r->target)
		return target_restart(r->target);
	return r->streamed ? fail(E_INTEGRITY, "the file was changed while it was fetched") : 0;
}

static int on_begin(void *arg, const struct answer *a)
{
	struct run *r = arg;
	uint8_t hash[SHA256_SIZE];

	r->obsolete = answer_hash(a, hash) && memcmp(hash, r->d->hash, sizeof hash) != 0;
	if (r->obsolete)
		return fail(E_CONFLICT,
			    "the file was changed on the server meanwhile: fetch it again");
	if (a->status != 206)
		return start_over(r);
	if (!a->has_range || a->range_first != have(r) || a->range_size != r->d->size)
		return fail(E_PROTOCOL, "the server sends another part than it was asked for");
	return 0;
}

static int on_write(void *arg, const void *data, size_t len)
{
	struct run *r = arg;
	int rc;

	if (len > r->d->size - have(r))
		return fail(E_INTEGRITY, "more comes than the file has");
	if (r->target)
		rc = target_write(r->target, data, len);
	else
		rc = sys_write_all(r->stream, data, len);
	if (!rc && !r->target) {
		sha256_add(&r->stream_hash, data, len);
		r->streamed += len;
	}
	progress_moved(len);
	return rc;
}

static int get_rest(struct run *r)
{
	char hex[2 * SHA256_SIZE + 1];
	hex_encode(r->d->hash, SHA256_SIZE, hex);
	CLEANUP(mem_free) char *url = place_url(r->d->from, false);
	CLEANUP(mem_free) char *text = place_text(r->d->from);
	CLEANUP(mem_free)
	char *range = mem_printf("Range: bytes=%llu-", (unsigned long long)have(r));
	CLEANUP(mem_free) char *guard = mem_printf("If-Range: \"%s\"", hex);
	const char *const whole[] = {NULL}, *const part[] = {range, guard, NULL};
	const struct http_sink sink = {on_begin, on_write, r};
	const struct http_request q = {.method = "GET",
				       .path = url,
				       .headers = have(r) ? part : whole,
				       .sink = &sink,
				       .rate = r->s->rate};
	int rc = http_ask(r->s->http, &q, &r->answer);

	if (!rc && r->answer.status == 416)
		rc = start_over(r) ? E_INTEGRITY : fail(E_AGAIN, "the part is not there");
	if (!rc)
		rc = answer_judge(&r->answer, text);
	if (!rc && have(r) < r->d->size)
		rc = fail(E_AGAIN, "the answer was cut short");
	return rc;
}

/* The empty file is asked for too: fetching is an act, and the log shall have it. */
static int get_all(struct run *r)
{
	struct retry retry = {.most = r->s->retries};
	uint64_t furthest = have(r);
	int rc = 0;

	progress_had(furthest);
	r->d->resumed = furthest > 0;
	if (furthest == r->d->size && furthest)
		return 0;
	do {
		rc = get_rest(r);
		retry.after_s = r->answer.retry_after_s;
		if (have(r) > furthest) {
			furthest = have(r);
			retry_progress(&retry);
		}
	} while (rc && retry_again(&retry, rc));
	answer_done(&r->answer);
	return rc;
}

static int look(struct download *d, int dir, const char *name)
{
	enum target_there there = TARGET_FREE;
	int rc = target_look(dir, name, d->size, d->hash, &there);

	if (!rc && there == TARGET_OTHER && !d->replace)
		rc = fail(E_EXISTS, "'%s' is there with another content (--force replaces it)",
			  name);
	d->was_there = !rc && there == TARGET_EQUAL;
	return rc;
}

int download_file(struct session *s, struct download *d, int dir, const char *name)
{
	CLEANUP(target_done) struct target t = {.dir = dir, .fd = -1};
	int rc = d->has_hash ? 0 : download_ask(s, d);

	if (!rc)
		rc = look(d, dir, name);
	if (!rc && d->was_there)
		progress_had(d->size);
	if (rc || d->was_there)
		return rc;
	t.dir = -1; /* it is target_open()'s from here on */
	rc = target_open(dir, name, d->hash, d->size, &t);
	if (rc)
		return rc;
	struct run r = {.s = s, .d = d, .target = &t};
	rc = get_all(&r);
	if (rc && r.obsolete)
		target_abandon(&t);
	return rc ? rc : target_finish(&t, d->hash, d->modified_s, d->replace);
}

int download_stream(struct session *s, struct download *d, int fd)
{
	struct run r = {.s = s, .d = d, .stream = fd};
	uint8_t hash[SHA256_SIZE];
	int rc = d->has_hash ? 0 : download_ask(s, d);

	sha256_init(&r.stream_hash);
	if (!rc)
		rc = get_all(&r);
	if (rc)
		return rc;
	sha256_now(&r.stream_hash, hash);
	if (memcmp(hash, d->hash, sizeof hash) != 0)
		return fail(E_INTEGRITY,
			    "what came is not what the server said it would be: do not "
			    "use it");
	return 0;
}
