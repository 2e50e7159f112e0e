/* SPDX-License-Identifier: Apache-2.0 */
/* An upload of what cannot be read twice: it goes on from memory, piece by piece. */
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "base/sys.h"
#include "client/progress.h"
#include "client/receipts.h"
#include "client/stop.h"
#include "client/upload.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { PIECE = 8 << 20, LOOK_MS = 200 };

static const char tus[] = "Tus-Resumable: 1.0.0";

struct stream {
	struct session *s;
	struct upload *u;
	int fd;
	uint8_t *piece;
	size_t len;     /* of it */
	bool is_last;   /* nothing comes behind it */
	bool has_ahead; /* a byte that was read to see that */
	uint8_t ahead;
	uint64_t begin;    /* the offset of the piece in the whole */
	uint64_t from, at; /* the request: from there, so far */
	char upload[80];
	bool done; /* it is published */
	struct sha256 hash;
	struct answer answer;
};

/* Until there is something to read, or its end. A signal may come just before we wait. */
static int wait_for_input(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};
	int n = 0;

	while (n == 0 || (n < 0 && errno == EINTR)) {
		if (stop_wanted())
			return fail(E_AGAIN, "interrupted");
		n = poll(&p, 1, LOOK_MS);
	}
	return n < 0 ? fail_errno(E_IO, "wait for standard input") : 0;
}

/* Whole pieces, however small a pipe's are. */
static int read_some(int fd, uint8_t *data, size_t room, size_t *ret_len)
{
	size_t got = 0;

	while (got < room) {
		int rc = wait_for_input(fd);
		if (rc)
			return rc;
		ssize_t n = read(fd, data + got, room - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(E_IO, "read standard input");
		if (n == 0)
			break;
		got += (size_t)n;
	}
	*ret_len = got;
	return 0;
}

static int next_piece(struct stream *st)
{
	size_t len = 0, more = 0, kept = st->has_ahead;

	st->begin += st->len;
	st->piece[0] = st->ahead;
	int rc = read_some(st->fd, st->piece + kept, PIECE - kept, &len);
	st->len = kept + len;
	if (!rc && st->len == PIECE)
		rc = read_some(st->fd, &st->ahead, 1, &more);
	st->has_ahead = more == 1;
	st->is_last = !st->has_ahead;
	sha256_add(&st->hash, st->piece, st->len);
	return rc;
}

static int body_read(void *arg, void *room, size_t room_len, size_t *ret_len)
{
	struct stream *st = arg;
	size_t in = (size_t)(st->at - st->begin);
	size_t len = st->len - in < room_len ? st->len - in : room_len;

	if (len)
		memcpy(room, st->piece + in, len);
	st->at += len;
	progress_moved(len);
	*ret_len = len;
	return 0;
}

static int body_rewind(void *arg)
{
	struct stream *st = arg;

	progress_back(st->at - st->from);
	st->at = st->from;
	return 0;
}

/* After a failure: the server may have some of the piece. */
static int ask_offset(struct stream *st)
{
	const char *const headers[] = {tus, NULL};
	const struct http_request q = {.method = "HEAD", .path = st->upload, .headers = headers};
	int rc = http_ask(st->s->http, &q, &st->answer);

	if (!rc)
		rc = answer_judge(&st->answer, "the upload");
	if (rc && rc != E_GONE)
		return rc;
	if (rc || !st->answer.has_offset || st->answer.offset < st->begin ||
	    st->answer.offset > st->begin + st->len)
		return fail(E_INTEGRITY, "the server has lost a part of what came from standard "
					 "input: send it again from its beginning");
	progress_back(st->at - st->begin);
	progress_had(st->answer.offset - st->begin);
	st->at = st->from = st->answer.offset;
	return 0;
}

static int send_piece(struct stream *st)
{
	uint64_t end = st->begin + st->len;
	CLEANUP(mem_free)
	char *offset = mem_printf("Upload-Offset: %llu", (unsigned long long)st->at);
	CLEANUP(mem_free) char *length = mem_printf("Upload-Length: %llu", (unsigned long long)end);
	const char *const headers[] = {tus, offset, "Content-Type: application/offset+octet-stream",
				       st->is_last ? length : NULL, NULL};
	const struct http_body body = {body_read, body_rewind, st, end - st->at};
	const struct http_request q = {.method = "PATCH",
				       .path = st->upload,
				       .headers = headers,
				       .body = &body,
				       .rate = st->s->rate};
	CLEANUP(mem_free) char *text = place_text(st->u->to);
	int rc = http_ask(st->s->http, &q, &st->answer);

	if (!rc)
		rc = answer_judge(&st->answer, text);
	if (rc == E_CONFLICT)
		return fail(E_AGAIN, "the upload is not where it was");
	if (!rc && (!st->answer.has_offset || st->answer.offset != end))
		rc = fail(E_AGAIN, "the server has not taken all of it");
	return rc;
}

/* It is all there already: only the answer to the last piece was lost. */
static bool is_finished(const struct stream *st)
{
	return st->is_last && st->answer.has_length && st->answer.offset == st->answer.length &&
	       st->answer.receipt[0] && st->at == st->begin + st->len;
}

static int try_piece(struct stream *st, bool again)
{
	int rc = again ? ask_offset(st) : 0;

	if (rc || (again && is_finished(st)))
		return rc;
	if (again && !st->is_last && st->at == st->begin + st->len)
		return 0;
	return send_piece(st);
}

static int deliver_piece(struct stream *st)
{
	struct retry retry = {.most = st->s->retries};
	uint64_t furthest = st->begin;
	bool again = false;
	int rc;

	st->at = st->from = st->begin;
	do {
		rc = try_piece(st, again);
		again = true;
		retry.after_s = st->answer.retry_after_s;
		if (st->from > furthest) {
			furthest = st->from;
			retry_progress(&retry);
		}
	} while (rc && retry_again(&retry, rc));
	return rc;
}

static int create(struct stream *st)
{
	struct retry retry = {.most = st->s->retries};
	int rc;

	do {
		rc = upload_create(st->s, st->u, NULL, time(NULL), &st->answer);
		retry.after_s = st->answer.retry_after_s;
	} while (rc && retry_again(&retry, rc));
	(void)snprintf(st->upload, sizeof st->upload, "%s", st->answer.upload);
	return rc;
}

static int send_pieces(struct stream *st, char ret_receipt[48])
{
	int rc = create(st);

	while (!rc) {
		rc = deliver_piece(st);
		if (rc || st->is_last)
			break;
		rc = next_piece(st);
	}
	if (rc)
		return rc;
	st->done = true;
	sha256_now(&st->hash, st->u->hash);
	rc = upload_compare(&st->answer, st->u);
	(void)snprintf(ret_receipt, 48, "%s", st->answer.receipt);
	return rc;
}

static int send_stream(struct stream *st)
{
	CLEANUP(mem_free) char *path = place_path(st->u->to);
	char receipt[48] = "";
	int rc = next_piece(st);

	if (!rc && st->is_last && st->len <= UPLOAD_SMALL) {
		sha256_now(&st->hash, st->u->hash);
		rc = upload_put(st->s, st->u, view_of(st->piece, st->len), time(NULL), receipt);
	} else if (!rc) {
		rc = send_pieces(st, receipt);
	}
	if (rc)
		return rc;
	st->u->size = sha256_count(&st->hash);
	if (!receipt[0])
		return fail(E_PROTOCOL, "it was sent, but the server names no receipt");
	const struct receipt_want want = {path, st->u->size, st->u->hash};
	return receipts_fetch(st->s, receipt, &want, st->u);
}

int upload_stream(struct session *s, struct upload *u, int fd)
{
	CLEANUP(mem_free) uint8_t *piece = mem_new(PIECE);
	struct stream st = {.s = s, .u = u, .fd = fd, .piece = piece};

	sha256_init(&st.hash);
	int rc = send_stream(&st);
	/* Nobody can go on with it. */
	if (rc && st.upload[0] && !st.done)
		upload_drop(s, st.upload);
	answer_done(&st.answer);
	return rc;
}
