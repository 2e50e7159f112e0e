/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep_live: a real keep on a state directory of its own, made by keep_init(), in this very
 * process; and gates of ours, each the other end of a link that the keep serves.
 *
 * The loop runs only inside these calls, so a test decides what happens in which order.
 */
#ifndef DROPKEEP_TESTS_KEEP_LIVE_H
#define DROPKEEP_TESTS_KEEP_LIVE_H

#include "keep_kit.h"

#include <jansson.h>

#include "daemon/keep/ask.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/deeds.h"
#include "daemon/keep/gate_link.h"
#include "daemon/keep/keep.h"
#include "wire/messages.h"

struct live {
	char dir[64]; /* with conf, state/ and run/ */
	char *conf;
	struct keep *keep;
};

/* more: lines for the end of the configuration, or NULL. */
void live_init(struct live *l, const char *more);
void live_open(struct live *l);
void live_close(struct live *l); /* everything under way is finished first */
void live_done(struct live *l);  /* the directory goes too */

/* For cmocka: all of it, and *state is the struct live. */
int live_setup(void **state);
int live_teardown(void **state);

/* For the end of a group: the pool's threads leave before OpenSSL, which has memory of theirs. */
int live_end(void **state);

/* Run the loop until a condition holds; fails the test after some seconds. */
void live_until(struct live *l, bool (*is)(void *arg), void *arg);
void live_settle(struct live *l); /* until nothing is under way but what is parked */

/* A descriptor of the state directory. */
int live_state(const struct live *l);

/* ---- users ---- */

/* A user with a key of their own, clients and staff of a zone as by role. */
struct user {
	char name[32];
	struct buf key; /* the blob that SSH sends */
};
void live_zone(struct live *l, const char *name, uint64_t quota);
void live_user(struct live *l, const char *name, enum role role, const char *zone,
	       struct user *ret_user);
void user_done(struct user *u);

/* ---- gates ---- */

struct fake_gate {
	struct live *live;
	struct gate *gate; /* the keep's end */
	int socket;
	uint32_t id;         /* of the last ask */
	struct heard *heard; /* answers and orders that nobody has asked for yet */
};

/* What came from the keep. */
struct heard {
	struct heard *next;
	struct frame f;
	int fds[LINK_FDS_MAX];
	unsigned count;
	char text[256]; /* of an answer with a status: the sentence */
	size_t len;
	uint8_t packet[];
};

struct fake_gate *fake_gate_new(struct live *l); /* has said nothing yet */
void fake_gate_free(struct fake_gate *g);        /* closes its link if it is open */
bool fake_gate_ended(const struct fake_gate *g); /* the keep has closed the link */

void heard_free(struct heard **h);

/* Sends without running the loop. Gives the ask's id. */
uint32_t gate_say(struct fake_gate *g, uint16_t verb, uint64_t subject, struct view body);
void gate_say_raw(struct fake_gate *g, struct view packet, const int *fds, unsigned count);

/* Waits for the answer to it. The caller frees. */
struct heard *gate_hear(struct fake_gate *g, uint32_t id);

/* Waits for an order. */
struct heard *gate_hear_order(struct fake_gate *g, uint16_t verb);

/* What has come so far and is so, or NULL; does not wait. */
bool is_answer_to(const struct heard *h, uint32_t id);
bool is_order(const struct heard *h, uint32_t verb);
struct heard *gate_heard(struct fake_gate *g, bool (*is)(const struct heard *h, uint32_t n),
			 uint32_t n);

/* SAY(g, put_open, PUT_OPEN, session, .path = …) sends; ASK(…) waits for the answer, too. */
enum { SAY_MAX = 160 * 1024 };
#define SAY(g, name, NAME, subject, ...)                                                        \
	({                                                                                      \
		struct ask_##name m_ = {__VA_ARGS__};                                           \
		uint8_t *memory_ = mem_new(SAY_MAX);                                            \
		struct writer w_ = writer_of(memory_, SAY_MAX);                                 \
		ask_##name##_write(&w_, &m_);                                                   \
		assert_false(w_.full);                                                          \
		uint32_t id_ = gate_say((g), VERB_##NAME, (subject), view_of(w_.data, w_.len)); \
		free(memory_);                                                                  \
		id_;                                                                            \
	})
#define ASK(g, name, NAME, subject, ...) gate_hear((g), SAY(g, name, NAME, subject, ##__VA_ARGS__))

#define HEARD CLEANUP(heard_free) struct heard

/* An answer of 0, whose body is read into ret. */
#define READ(heard, name, ret)                                             \
	do {                                                               \
		if ((heard)->f.status)                                     \
			print_message("# %s\n", (heard)->text);            \
		assert_int_equal((heard)->f.status, 0);                    \
		assert_good(answer_##name##_read((heard)->f.body, (ret))); \
	} while (0)

/* A status and what stands in its sentence. */
#define assert_answer(heard, code, sentence)                                          \
	do {                                                                          \
		if ((heard)->f.status != (code) || !strstr((heard)->text, sentence))  \
			print_message("# %d %s\n", (heard)->f.status, (heard)->text); \
		assert_int_equal((heard)->f.status, code);                            \
		assert_non_null(strstr((heard)->text, sentence));                     \
	} while (0)

/* A gate that has said HELLO; a session of it; the same authenticated. */
struct fake_gate *fake_gate_ready(struct live *l);
uint64_t gate_session(struct fake_gate *g, const char *peer);
uint64_t gate_log_in(struct fake_gate *g, const struct user *u);

/* The gate dies, as the keep sees it: its link is closed. */
void fake_gate_die(struct fake_gate *g);

/* ---- the log ---- */

/* All records so far as an array of objects, sealed members opened. */
json_t *live_records(struct live *l);

/* How many of them have that event, and the last one of these (borrowed, or NULL). */
size_t records_of(const json_t *records, const char *event, json_t **ret_last);

/* Fails the test unless log, catalog and blobs agree and numbers have no gap. */
void live_check(struct live *l);

#endif
