/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_sftp_packet: arbitrary bytes as a stream of SFTP packets, whole and in pieces: both
 * must give the same requests and the same data, and no more than the stream has. The first
 * byte chooses the size of the pieces. libFuzzer and AFL++ entry; replay.c replays.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/sha256.h"
#include "daemon/gate/sftp_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Requests and data by what they hold, not by how data was cut. */
struct outcome {
	struct sha256 hash;
	uint64_t requests, writes, bytes;
	int rc;
};

static void note(struct outcome *o, const struct packet *p)
{
	if (p->kind == PACKET_REQUEST) {
		assert(p->body.len < REQUEST_MAX);
		o->requests++;
		sha256_add(&o->hash, &p->type, 1);
		sha256_add(&o->hash, p->body.data, p->body.len);
		return;
	}
	assert(p->handle.len <= HANDLE_MAX && p->data.len <= PACKET_MAX);
	if (p->first)
		sha256_add(&o->hash, &p->id, sizeof p->id);
	sha256_add(&o->hash, p->data.data, p->data.len);
	o->writes += p->last;
	o->bytes += p->data.len;
}

static void feed(struct packets *p, struct view in, struct outcome *o)
{
	struct packet packet = {.kind = PACKET_REQUEST};

	while (!o->rc && packet.kind != PACKET_NONE) {
		o->rc = packets_next(p, &in, &packet);
		if (o->rc || packet.kind == PACKET_NONE)
			break;
		note(o, &packet);
		packets_took(p, &in);
	}
	assert(o->rc || in.len == 0);
	assert(!o->rc || o->rc == E_PROTOCOL);
}

static struct outcome run(struct view stream, size_t step)
{
	struct outcome o = {0};
	struct packets p = {0};

	sha256_init(&o.hash);
	for (size_t at = 0; at < stream.len && !o.rc; at += step) {
		size_t len = stream.len - at < step ? stream.len - at : step;
		uint8_t *exact = malloc(len);
		assert(exact);
		memcpy(exact, stream.data + at, len);
		feed(&p, view_of(exact, len), &o);
		free(exact);
	}
	packets_done(&p);
	err_clear();
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t a[SHA256_SIZE], b[SHA256_SIZE];

	if (len < 2)
		return 0;
	struct view stream = view_of(data + 1, len - 1);
	struct outcome whole = run(stream, stream.len);
	struct outcome cut = run(stream, data[0] % 64u + 1);
	assert(whole.rc == cut.rc && whole.requests == cut.requests && whole.writes == cut.writes);
	assert(whole.bytes <= stream.len);
	if (!whole.rc) { /* where the stream breaks, pieces of data may have been given before */
		sha256_now(&whole.hash, a);
		sha256_now(&cut.hash, b);
		assert(whole.bytes == cut.bytes && memcmp(a, b, sizeof a) == 0);
	}
	return 0;
}
