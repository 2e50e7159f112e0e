/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_wire_messages: arbitrary bytes as a message of the gate-keep protocol: the first byte
 * says which. What reads must write back to the very same bytes: each message has one form.
 * Also as a frame, and as a row of entries. libFuzzer and AFL++ entry; replay.c replays.
 */
#include <assert.h>

#include "base/mem.h"
#include "wire/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define DEFINE_TRY(x)                                                        \
	static void try_##x(struct view body)                                \
	{                                                                    \
		struct x m;                                                  \
		int rc = x##_read(body, &m);                                 \
		assert(rc == 0 || rc == E_PROTOCOL);                         \
		if (rc)                                                      \
			return;                                              \
		uint8_t *again = mem_new(body.len);                          \
		struct writer w = writer_of(again, body.len);                \
		x##_write(&w, &m);                                           \
		assert(!w.full && view_equal(view_of(w.data, w.len), body)); \
		mem_free(&again);                                            \
	}

DEFINE_TRY(gate_settings)
DEFINE_TRY(attrs)
DEFINE_TRY(entry)
DEFINE_TRY(lease)
#define VERB(number, NAME, name, phase, fds) DEFINE_TRY(ask_##name) DEFINE_TRY(answer_##name)
WIRE_ASKS(VERB)
#undef VERB
#define ORDER(number, NAME, name) DEFINE_TRY(order_##name)
WIRE_ORDERS(ORDER)
#undef ORDER

static void try_entries(struct view body)
{
	struct reader r = reader_of(body);
	struct entry e;
	size_t left = r.left;

	while (entry_next(&r, &e)) {
		assert(r.left < left);
		left = r.left;
	}
	assert(r.bad || r.left == 0);
}

static void try_frame(struct view body)
{
	struct frame f;
	uint8_t head[LINK_HEADER];
	int rc = frame_read(body, &f);

	assert(rc == 0 || rc == E_PROTOCOL);
	if (rc)
		return;
	struct writer w = writer_of(head, sizeof head);
	frame_write(&w, &f);
	assert(!w.full && memcmp(head, body.data, sizeof head) == 0);
	assert(f.body.len == body.len - LINK_HEADER);
}

/* Indexed by the first byte. */
static void (*const tries[])(struct view body) = {try_frame,
						  try_entries,
						  try_gate_settings,
						  try_attrs,
						  try_entry,
						  try_lease,
#define VERB(number, NAME, name, phase, fds) try_ask_##name, try_answer_##name,
						  WIRE_ASKS(VERB)
#undef VERB
#define ORDER(number, NAME, name) try_order_##name,
						      WIRE_ORDERS(ORDER)
#undef ORDER
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len)
		tries[data[0] % ARRAY_LEN(tries)](view_of(data + 1, len - 1));
	err_clear();
	return 0;
}
