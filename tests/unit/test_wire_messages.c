/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every message of the gate-keep protocol, from the one list that declares them: filled at
 * random, written, read back, cut, and made too long.
 */
#include "tests/unit/base_kit.h"

#include "wire/messages.h"

enum { BODY_MAX = 4096, ROUNDS = 8 };

static uint64_t random_state = 88172645463325252ull; /* xorshift: the same in every run */

static uint64_t next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static const char pool[] = "the quick brown fox jumps over the lazy dog\0\xff\x80 and on";

static struct view next_bytes(void)
{
	size_t len = next() % 24, at = next() % (sizeof pool - 24);

	return view_of(pool + at, len);
}

static void next_fill(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)next();
}

#define FILL_u8(name)    m->name = (uint8_t)next();
#define FILL_u16(name)   m->name = (uint16_t)next();
#define FILL_u32(name)   m->name = (uint32_t)next();
#define FILL_u64(name)   m->name = next();
#define FILL_i64(name)   m->name = (int64_t)next();
#define FILL_bytes(name) m->name = next_bytes();
#define FILL_id(name)    next_fill(m->name, sizeof m->name);
#define FILL_hash(name)  next_fill(m->name, sizeof m->name);
#define FILL_key(name)   next_fill(m->name, sizeof m->name);
#define FILL(kind, name) FILL_##kind(name)

#define SAME_u8(name)    assert_true(a->name == b->name);
#define SAME_u16(name)   assert_true(a->name == b->name);
#define SAME_u32(name)   assert_true(a->name == b->name);
#define SAME_u64(name)   assert_true(a->name == b->name);
#define SAME_i64(name)   assert_true(a->name == b->name);
#define SAME_bytes(name) assert_true(view_equal(a->name, b->name));
#define SAME_id(name)    assert_memory_equal(a->name, b->name, sizeof a->name);
#define SAME_hash(name)  assert_memory_equal(a->name, b->name, sizeof a->name);
#define SAME_key(name)   assert_memory_equal(a->name, b->name, sizeof a->name);
#define SAME(kind, name) SAME_##kind(name)

/* A message without fields is an empty struct, which has no members to compare. */
#define DEFINE_TEST(x)                                                                  \
	static void x##_fill(struct x *m)                                               \
	{                                                                               \
		(void)m;                                                                \
		FIELDS_##x(FILL)                                                        \
	}                                                                               \
	static void x##_same(const struct x *a, const struct x *b)                      \
	{                                                                               \
		(void)a;                                                                \
		(void)b;                                                                \
		FIELDS_##x(SAME)                                                        \
	}                                                                               \
	static size_t x##_write_all(const struct x *m, uint8_t *out)                    \
	{                                                                               \
		struct writer w = writer_of(out, BODY_MAX);                             \
		x##_write(&w, m);                                                       \
		assert_false(w.full);                                                   \
		return w.len;                                                           \
	}                                                                               \
	static void x##_refuse(const uint8_t *body, size_t len)                         \
	{                                                                               \
		struct x m, before;                                                     \
		EXACT v = kit_exact(body, len);                                         \
		memset(&m, 0x5a, sizeof m);                                             \
		memcpy(&before, &m, sizeof m);                                          \
		assert_says(x##_read(v, &m), E_PROTOCOL, "malformed message '" #x "'"); \
		assert_memory_equal(&m, &before, sizeof m);                             \
	}                                                                               \
	static void x##_survives_every_cut(void **state)                                \
	{                                                                               \
		(void)state;                                                            \
		for (int round = 0; round < ROUNDS; round++) {                          \
			uint8_t body[BODY_MAX + 1], small[BODY_MAX];                    \
			struct x m, back;                                               \
			memset(&m, 0, sizeof m);                                        \
			memset(&back, 0, sizeof back);                                  \
			x##_fill(&m);                                                   \
			size_t len = x##_write_all(&m, body);                           \
			EXACT v = kit_exact(body, len);                                 \
			assert_ok(x##_read(v, &back));                                  \
			x##_same(&m, &back);                                            \
			for (size_t cut = 0; cut < len; cut++) {                        \
				x##_refuse(body, cut);                                  \
				struct writer w = writer_of(small, cut);                \
				x##_write(&w, &m);                                      \
				assert_true(w.full &&w.len <= cut);                     \
			}                                                               \
			for (int surplus = 0; surplus < 256; surplus += 85) {           \
				body[len] = (uint8_t)surplus;                           \
				x##_refuse(body, len + 1);                              \
			}                                                               \
		}                                                                       \
	}

DEFINE_TEST(gate_settings)
DEFINE_TEST(attrs)
DEFINE_TEST(entry)
DEFINE_TEST(lease)
#define VERB(number, NAME, name, phase, fds) DEFINE_TEST(ask_##name) DEFINE_TEST(answer_##name)
WIRE_ASKS(VERB)
#undef VERB
#define ORDER(number, NAME, name) DEFINE_TEST(order_##name)
WIRE_ORDERS(ORDER)
#undef ORDER

static void entries_in_a_row_are_read_until_their_end(void **state)
{
	uint8_t body[BODY_MAX];
	struct writer w = writer_of(body, sizeof body);
	struct entry e[5], got;
	size_t ends[6] = {0};

	(void)state;
	memset(e, 0, sizeof e);
	for (size_t i = 0; i < ARRAY_LEN(e); i++) {
		entry_fill(&e[i]);
		entry_write(&w, &e[i]);
		ends[i + 1] = w.len;
	}
	for (size_t cut = 0; cut <= w.len; cut++) {
		EXACT v = kit_exact(body, cut);
		struct reader r = reader_of(v);
		size_t n = 0;
		while (entry_next(&r, &got))
			entry_same(&got, &e[n++]);
		assert_true(cut >= ends[n] && (n == ARRAY_LEN(e) || cut < ends[n + 1]));
		assert_int_equal(r.bad, cut != ends[n]);
		assert_false(entry_next(&r, &got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gate_settings_survives_every_cut),
	    cmocka_unit_test(attrs_survives_every_cut),
	    cmocka_unit_test(entry_survives_every_cut),
	    cmocka_unit_test(lease_survives_every_cut),
#define VERB(number, NAME, name, phase, fds)               \
	cmocka_unit_test(ask_##name##_survives_every_cut), \
	    cmocka_unit_test(answer_##name##_survives_every_cut),
	    WIRE_ASKS(VERB)
#undef VERB
#define ORDER(number, NAME, name) cmocka_unit_test(order_##name##_survives_every_cut),
		WIRE_ORDERS(ORDER)
#undef ORDER
		    cmocka_unit_test(entries_in_a_row_are_read_until_their_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
