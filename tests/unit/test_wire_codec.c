/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include "wire/codec.h"
#include "wire/verbs.h"

static const uint8_t sample[] = {
    0xfe,                                           /* u8 */
    0x01, 0x02,                                     /* u16 */
    0x80, 0x00, 0x00, 0x01,                         /* u32 */
    0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88, /* u64 */
    'r',  'a',  'w',                                /* raw */
    0x00, 0x00, 0x00, 0x02, 'a',  0x00,             /* bytes */
    0x00, 0x00, 0x00, 0x00,                         /* bytes, none */
};

static void write_sample(struct writer *w)
{
	write_u8(w, 0xfe);
	write_u16(w, 0x0102);
	write_u32(w, 0x80000001);
	write_u64(w, 0xffeeddccbbaa9988);
	write_raw(w, "raw", 3);
	write_bytes(w, view_of("a\0", 2));
	write_bytes(w, view_of(NULL, 0));
}

static void numbers_are_written_big_endian(void **state)
{
	uint8_t out[sizeof sample];
	struct writer w = writer_of(out, sizeof out);

	(void)state;
	write_sample(&w);
	assert_false(w.full);
	assert_int_equal(w.len, sizeof sample);
	assert_memory_equal(out, sample, sizeof sample);
}

static void what_was_written_is_read_back(void **state)
{
	EXACT v = kit_exact(sample, sizeof sample);
	struct reader r = reader_of(v);
	char raw[3];

	(void)state;
	assert_int_equal(read_u8(&r), 0xfe);
	assert_int_equal(read_u16(&r), 0x0102);
	assert_int_equal(read_u32(&r), 0x80000001);
	assert_true(read_u64(&r) == 0xffeeddccbbaa9988);
	read_into(&r, raw, sizeof raw);
	assert_memory_equal(raw, "raw", 3);
	assert_true(view_equal(read_bytes(&r), view_of("a\0", 2)));
	assert_false(reader_end(&r));
	assert_int_equal(read_bytes(&r).len, 0);
	assert_true(reader_end(&r));
}

static void read_cut_at_every_byte_is_bad_and_stays_so(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof sample; len++) {
		EXACT v = kit_exact(sample, len);
		struct reader r = reader_of(v);
		char raw[3];
		(void)read_u8(&r);
		(void)read_u16(&r);
		(void)read_u32(&r);
		(void)read_u64(&r);
		read_into(&r, raw, sizeof raw);
		(void)read_bytes(&r);
		(void)read_bytes(&r);
		assert_false(reader_ok(&r));
		assert_false(reader_end(&r));
		/* sticky, and everything is zero from then on */
		assert_int_equal(read_u8(&r), 0);
		assert_int_equal(read_u64(&r), 0);
		assert_null(read_raw(&r, 0).data);
		assert_int_equal(read_bytes(&r).len, 0);
		read_into(&r, raw, sizeof raw);
		assert_memory_equal(raw, "\0\0", 3);
		assert_false(reader_ok(&r));
	}
}

static void lengths_beyond_the_input_are_bad(void **state)
{
	static const uint32_t lengths[] = {5, 6, 0x7fffffff, 0x80000000, 0xfffffffb, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		uint8_t in[8];
		struct writer w = writer_of(in, sizeof in);
		write_u32(&w, lengths[i]);
		write_raw(&w, "abcd", 4);
		EXACT v = kit_exact(in, sizeof in);
		struct reader r = reader_of(v);
		assert_int_equal(read_bytes(&r).len, 0);
		assert_false(reader_ok(&r));
	}
	struct reader r = reader_of(view_of("abc", 3));
	assert_int_equal(read_raw(&r, SIZE_MAX).len, 0);
	assert_false(reader_ok(&r));
}

static void write_into_every_room_too_small_is_full_and_stays_so(void **state)
{
	(void)state;
	for (size_t cap = 0; cap < sizeof sample; cap++) {
		uint8_t *out = malloc(cap ? cap : 1);
		struct writer w = writer_of(out, cap);
		write_sample(&w);
		assert_true(w.full);
		assert_true(w.len <= cap);
		assert_memory_equal(out, sample, w.len);
		size_t len = w.len;
		write_u8(&w, 1); /* even if there were room for this one */
		write_bytes(&w, view_of(NULL, 0));
		assert_int_equal(w.len, len);
		free(out);
	}
}

static void length_known_later_is_patched_in(void **state)
{
	uint8_t out[12];
	struct writer w = writer_of(out, sizeof out);

	(void)state;
	write_u32(&w, 0);
	write_u32(&w, 7);
	write_u32_at(&w, 0, 0x01020304);
	assert_int_equal(w.len, 8);
	assert_memory_equal(out, "\1\2\3\4\0\0\0\7", 8);
	write_raw(&w, "12345", 5);
	assert_true(w.full);
	write_u32_at(&w, 0, 0);
	assert_memory_equal(out, "\1\2\3\4", 4);
}

static void every_verb_has_one_row(void **state)
{
	unsigned i = 0;

	(void)state;
	for (const struct verb_row *row; (row = verb_row_at(i)); i++) {
		assert_ptr_equal(verb_find(row->number), row);
		assert_true(row->number > 0 && row->number < 100);
		assert_true(row->phase <= PHASE_GET);
		assert_true(row->name && row->name[0]);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(verb_row_at(k)->name, row->name);
	}
	assert_true(i > 10);
	assert_ptr_equal(verb_row_at(0), verb_find(VERB_HELLO));
	assert_int_equal(verb_find(VERB_HELLO)->phase, PHASE_NEW);
}

static void numbers_of_no_verb_have_no_row(void **state)
{
	unsigned found = 0, rows = 0;

	(void)state;
	for (uint32_t n = 0; n <= UINT16_MAX; n++)
		found += verb_find((uint16_t)n) != NULL;
	while (verb_row_at(rows))
		rows++;
	assert_int_equal(found, rows);
	assert_null(verb_find(0));
	assert_null(verb_find(ORDER_CONFIGURE));
	assert_null(verb_find(ORDER_DRAIN));
	assert_null(verb_row_at(UINT32_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_written_big_endian),
	    cmocka_unit_test(what_was_written_is_read_back),
	    cmocka_unit_test(read_cut_at_every_byte_is_bad_and_stays_so),
	    cmocka_unit_test(lengths_beyond_the_input_are_bad),
	    cmocka_unit_test(write_into_every_room_too_small_is_full_and_stays_so),
	    cmocka_unit_test(length_known_later_is_patched_in),
	    cmocka_unit_test(every_verb_has_one_row),
	    cmocka_unit_test(numbers_of_no_verb_have_no_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
