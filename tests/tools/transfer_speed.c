/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer_speed [MIB [PIECE]]: how fast put and get are by themselves: no network, no SSH,
 * a keep that answers at once; where TMPDIR points to a tmpfs, no disk either. Pieces of
 * PIECE bytes (32768) as SFTP clients send them. Nothing is asserted but that it works.
 */
#include <inttypes.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/sys.h"
#include "daemon/gate/get.h"
#include "daemon/gate/put.h"
#include "../unit/fake_keep.h"

struct run {
	uv_loop_t loop;
	struct keeper *k;
	struct put *put;
	struct get *get;
	bool woken, done;
	int rc;
	uint64_t size, at, waits;
	size_t piece;
};

static uint8_t bytes[PUT_WRITE_MAX];

static void until(struct run *r, bool *flag)
{
	while (!*flag)
		(void)uv_run(&r->loop, UV_RUN_ONCE);
	*flag = false;
}

static void on_put_opened(void *arg, int rc, const char *text, struct put *p)
{
	struct run *r = arg;

	(void)text;
	r->rc = rc;
	r->put = p;
	r->done = true;
}

static void on_get_opened(void *arg, int rc, const char *text, struct get *g)
{
	struct run *r = arg;

	(void)text;
	r->rc = rc;
	r->get = g;
	r->done = true;
}

static void on_woken(void *arg)
{
	((struct run *)arg)->woken = true;
}

static void on_done(void *arg, int rc, const char *text)
{
	struct run *r = arg;

	(void)text;
	r->rc = rc;
	r->done = true;
}

static void must(const struct run *r, int rc)
{
	if (rc || r->rc) {
		(void)fprintf(stderr, "%s\n", err_text());
		exit(1);
	}
}

static void put_all(struct run *r)
{
	put_open(&r->loop, r->k, 1, view_text("/zone/file"), PUT_CREATE, SIZE_UNKNOWN,
		 on_put_opened, r);
	until(r, &r->done);
	must(r, 0);
	put_listen(r->put, on_woken, on_woken, r);
	for (r->at = 0; r->at < r->size; r->at += r->piece) {
		int rc;
		while ((rc = put_write(r->put, r->at, view_of(bytes, r->piece))) == E_AGAIN) {
			r->waits++;
			until(r, &r->woken);
		}
		must(r, rc);
	}
	put_close(r->put, on_done, r);
	until(r, &r->done);
	must(r, 0);
}

static void get_all(struct run *r)
{
	size_t n = 0;

	get_open(&r->loop, r->k, 1, view_text("/zone/file"), on_get_opened, r);
	until(r, &r->done);
	must(r, 0);
	get_listen(r->get, on_woken, r);
	for (r->at = 0; r->at < r->size; r->at += n) {
		int rc;
		while ((rc = get_read(r->get, r->at, bytes, r->piece, &n)) == E_AGAIN) {
			r->waits++;
			until(r, &r->woken);
		}
		must(r, rc);
	}
	get_close(r->get, 0, on_done, r);
	until(r, &r->done);
	must(r, 0);
}

static double cpu_seconds(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void measure(struct run *r, const char *name, void (*all)(struct run *))
{
	uint64_t began_ns = uv_hrtime();
	double cpu = cpu_seconds();
	struct rusage u;

	r->waits = 0;
	all(r);
	double seconds = (double)(uv_hrtime() - began_ns) / 1e9;
	(void)getrusage(RUSAGE_SELF, &u);
	(void)printf(
	    "%s  %7.1f MB/s  %.2f CPU s/GiB  %" PRIu64 " waits  %ld MiB resident at most\n", name,
	    (double)r->size / 1e6 / seconds, (cpu_seconds() - cpu) / ((double)r->size / (1 << 30)),
	    r->waits, u.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
	struct run r = {.size = 512 << 20, .piece = 32768};

	if (argc > 1)
		r.size = strtoull(argv[1], NULL, 10) << 20;
	if (argc > 2)
		r.piece = strtoul(argv[2], NULL, 10);
	if (!r.piece || r.piece > GET_READ_MAX || r.size % r.piece) {
		(void)fprintf(stderr, "usage: transfer_speed [MIB [PIECE]], PIECE a divisor\n");
		return 64;
	}
	fake_unwatched = true;
	(void)uv_loop_init(&r.loop);
	r.k = fake_new(&r.loop);
	measure(&r, "put", put_all);
	measure(&r, "get", get_all);
	fake_free(r.k);
	return uv_loop_close(&r.loop);
}
