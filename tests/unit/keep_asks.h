/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep_asks: what the tests of the asks share: a live keep with the zone acme (of its own quota),
 * its client anna, its staff sam, and a gate that has said HELLO; and uploads as a gate makes them,
 * sealed with lib/age into the descriptors that come.
 */
#ifndef DROPKEEP_TESTS_KEEP_ASKS_H
#define DROPKEEP_TESTS_KEEP_ASKS_H

#include "keep_live.h"

#include "age/stream.h"
#include "base/sha256.h"

enum { CHUNK = AGE_CHUNK, QUOTA = 200 << 20 };

struct scene {
	struct live live;
	struct user anna, ben, sam;
	struct fake_gate *gate;
	uint64_t session; /* of anna */
};

int scene_setup(void **state);
int scene_teardown(void **state); /* live_check() is part of it */
#define IN_A_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

/* len bytes that are the same each time. */
extern uint8_t model[6 * CHUNK];

struct upload {
	struct fake_gate *gate;
	uint64_t session;
	struct lease m; /* without its views */
	uint8_t digest[SHA256_STATE_SIZE];
	uint8_t tail[CHUNK];
	size_t tail_len;
	uint8_t content[AGE_SEALED_CHUNK]; /* the one chunk of an upload without a blob, sealed */
	size_t content_len;
	struct age_stream *stream;
	int fd, source; /* -1: none */
};

/* Both succeed. `taken`: from the answer to an earlier SAY. */
struct upload put_opened(struct fake_gate *g, uint64_t session, const char *path, uint8_t flags);
struct upload put_taken(struct fake_gate *g, uint64_t session, struct heard *h);
void upload_done(struct upload *u); /* closes its descriptors, tells nobody */

/* PUT_STORE, where the upload has no blob yet; the others do it where they need one. */
void put_store(struct upload *u);

/* Seal chunks first … end-1 of plain, none of them the last; or all of it to its end. */
void put_seal(struct upload *u, const uint8_t *plain, uint64_t first, uint64_t end);
void put_seal_all(struct upload *u, const uint8_t *plain, uint64_t size, uint64_t first);

/* A PUT_FINISH, sent without running the loop: its id. */
uint32_t put_say_finish(struct upload *u, const uint8_t *plain, uint64_t size);

/* Re-seal so many chunks of the lease's source; they are the model's. */
void reseal(struct upload *u, uint64_t chunks);

/* Sync, close, and ask. The heard answer is the caller's. */
struct heard *put_finish(struct upload *u, const uint8_t *plain, uint64_t size);
struct heard *put_suspend_clean(struct upload *u, const uint8_t *plain, uint64_t sealed,
				size_t tail);
struct heard *put_suspend_unclean(struct upload *u, uint64_t durable);

/* From opening to publication. */
void put_whole(struct fake_gate *g, uint64_t session, const char *path, const uint8_t *plain,
	       uint64_t size);

/* The answer has that status (0, too) and sentence. Takes it. */
void expect_answer(struct heard *h, int status, const char *sentence);

/* A session of sam's. */
uint64_t session_of_sam(struct scene *s);

/* GET_OPEN, read all, compare, GET_CLOSE. */
void expect_content(struct fake_gate *g, uint64_t session, const char *path, const uint8_t *plain,
		    uint64_t size);

/* What STAT says: the status, and of an answer of 0 kind and size. */
int stat_path(struct fake_gate *g, uint64_t session, const char *path, uint8_t *ret_kind,
	      uint64_t *ret_size);
void expect_partial(struct fake_gate *g, uint64_t session, const char *path, uint64_t size);
void expect_file(struct fake_gate *g, uint64_t session, const char *path, uint64_t size);
void expect_nothing(struct fake_gate *g, uint64_t session, const char *path);

struct zone_row zone_now(struct live *l, const char *name);

/* The number of records of an event; and of the last one the text or number of a member. */
size_t count_records(struct live *l, const char *event);
void expect_record(struct live *l, const char *event, const char *member, const char *text);

#endif
