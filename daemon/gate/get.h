/* SPDX-License-Identifier: Apache-2.0 */
/*
 * get: one download in the gate: ranges of plaintext out of a sealed blob.
 *
 * It knows nothing of SFTP or HTTP. Pull only: nothing is read, opened or kept that nobody
 * asked for, but for a bounded read-ahead behind sequential reads; a peer that stalls costs
 * neither CPU nor memory beyond GET_WINDOW chunks, and an idle get holds none for long.
 * Reading and opening run on the thread pool. No unauthenticated byte ever leaves it.
 */
#ifndef DROPKEEP_GATE_GET_H
#define DROPKEEP_GATE_GET_H

#include <uv.h>

#include "daemon/gate/keeper.h"

enum {
	GET_WINDOW = 8, /* opened chunks of 64 KiB that one download may hold */
	GET_READ_MAX = (GET_WINDOW - 1) * 64 * 1024, /* bytes in one get_read() */
};

struct get;

typedef void get_opened(void *arg, int rc, const char *text, struct get *g);
typedef void get_done(void *arg, int rc, const char *text);

/* opened is called once, always; the keep has recorded the download by then. */
void get_open(uv_loop_t *loop, struct keeper *keeper, uint64_t session, struct view path,
	      get_opened *opened, void *arg);

/* The wake-up for a get_read() that gave E_AGAIN. */
void get_listen(struct get *g, void (*on_ready)(void *arg), void *arg);

uint64_t get_size(const struct get *g);

/* What the keep said of the file at open; owner_name is owned by g. */
const struct attrs *get_attrs(const struct get *g);

/*
 * Copy up to len bytes at offset to memory; all of them unless the file ends (then
 * *ret_len is less, 0 at or behind the end). E_AGAIN: being fetched, on_ready follows.
 * E_INTEGRITY, E_IO: final for this download.
 */
MUST_USE int get_read(struct get *g, uint64_t offset, void *memory, size_t len, size_t *ret_len);

/* Tell the keep what was sent and free. code: 0, or why it ended early (a code of
 * base/err.h). done may be NULL; g is the module's own from here on. */
void get_close(struct get *g, int code, get_done *done, void *arg);

unsigned get_count(void);

#endif
