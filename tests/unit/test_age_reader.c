/* SPDX-License-Identifier: Apache-2.0 */
#include "age_files.h"

#include <sys/mman.h>

#include "age/reader.h"
#include "base/sys.h"

static struct secret *identity;

static int set_up(void **state)
{
	int rc = set_up_secrets(state);

	identity = rc ? NULL : example_identity();
	return rc;
}

static int tear_down(void **state)
{
	(void)state;
	secret_free(&identity);
	return 0;
}

/* A file in memory that counts its reads and may fail one of them. */
struct store {
	struct view file;
	unsigned reads, fail_at;
};

static int read_store(void *ctx, void *data, size_t len, uint64_t offset, size_t *ret_len)
{
	struct store *s = ctx;

	if (++s->reads == s->fail_at)
		return fail(E_IO, "the store fails");
	size_t at = offset < s->file.len ? (size_t)offset : s->file.len;
	size_t n = s->file.len - at < len ? s->file.len - at : len;
	memcpy(data, s->file.data + at, n);
	*ret_len = n;
	return 0;
}

static int open_store(struct store *s, struct age_reader **ret_reader)
{
	struct age_source source = {read_store, s, s->file.len};

	return age_reader_open(&source, identity, ret_reader);
}

static void read_any_range_gives_the_plaintext(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(telling_sizes); i++) {
		CLEANUP(buf_done) struct buf plain = {0}, file = {0};
		CLEANUP(age_reader_free) struct age_reader *r = NULL;
		size_t size = telling_sizes[i], got = 0;
		fill_plain(&plain, size);
		seal_file(view_buf(&plain), &file);
		struct store s = {view_buf(&file), 0, 0};
		assert_good(open_store(&s, &r));
		assert_true(age_reader_size(r) == size);
		for (size_t n = 0; n < ARRAY_LEN(telling_sizes); n++)
			for (size_t k = 0; k < ARRAY_LEN(telling_sizes); k++) {
				size_t offset = telling_sizes[n], len = telling_sizes[k];
				size_t left = offset < size ? size - offset : 0;
				size_t wanted = len < left ? len : left;
				uint8_t *data = malloc(len ? len : 1);
				assert_non_null(data);
				assert_good(age_reader_read(r, data, len, offset, &got));
				assert_int_equal(got, wanted);
				if (wanted)
					assert_memory_equal(data, plain.data + offset, wanted);
				free(data);
			}
		assert_good(age_reader_read(r, NULL, 0, UINT64_MAX, &got));
		assert_int_equal(got, 0);
	}
}

static void verify_whole_file_gives_its_hash(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(telling_sizes); i++) {
		CLEANUP(buf_done) struct buf plain = {0}, file = {0};
		CLEANUP(age_reader_free) struct age_reader *r = NULL;
		uint8_t digest[SHA256_SIZE], wanted[SHA256_SIZE];
		fill_plain(&plain, telling_sizes[i]);
		seal_file(view_buf(&plain), &file);
		sha256_of(view_buf(&plain), wanted);
		struct store s = {view_buf(&file), 0, 0};
		assert_good(open_store(&s, &r));
		assert_good(age_reader_verify(r, digest));
		assert_memory_equal(digest, wanted, sizeof wanted);
	}
}

static void read_from_a_descriptor(void **state)
{
	CLEANUP(buf_done) struct buf plain = {0}, file = {0};
	CLEANUP(age_reader_free) struct age_reader *r = NULL;
	CLEANUP(sys_close) int fd = memfd_create("age", MFD_CLOEXEC);
	uint8_t data[10];
	size_t got = 0;

	(void)state;
	assert_true(fd >= 0);
	fill_plain(&plain, AGE_CHUNK + 100);
	seal_file(view_buf(&plain), &file);
	assert_good(sys_write_all(fd, file.data, file.len));
	assert_good(age_reader_open_fd(fd, identity, &r));
	assert_true(age_reader_size(r) == plain.len);
	assert_good(age_reader_read(r, data, sizeof data, AGE_CHUNK - 5, &got));
	assert_int_equal(got, sizeof data);
	assert_memory_equal(data, plain.data + AGE_CHUNK - 5, sizeof data);
	assert_int_equal(fcntl(fd, F_GETFD) >= 0, 1);
}

static void read_in_small_steps_opens_each_chunk_once(void **state)
{
	CLEANUP(buf_done) struct buf plain = {0}, file = {0};
	CLEANUP(age_reader_free) struct age_reader *r = NULL;
	uint8_t data[512];
	size_t got = 0;

	(void)state;
	fill_plain(&plain, 3 * AGE_CHUNK);
	seal_file(view_buf(&plain), &file);
	struct store s = {view_buf(&file), 0, 0};
	assert_good(open_store(&s, &r));
	s.reads = 0;
	for (size_t at = 0; at < plain.len; at += sizeof data)
		assert_good(age_reader_read(r, data, sizeof data, at, &got));
	assert_int_equal(s.reads, 3);
}

static void pin_is_the_streams_pin(void **state)
{
	CLEANUP(buf_done) struct buf file = {0};
	CLEANUP(secret_free) struct secret *file_key = NULL;
	CLEANUP(age_stream_free) struct age_stream *stream = NULL;
	CLEANUP(age_reader_free) struct age_reader *r = NULL;
	struct age_recipient recipient;
	uint8_t nonce[AGE_NONCE], pin[AGE_PIN], sealed[AGE_TAG];

	(void)state;
	assert_good(age_recipient_from_text(view_text(EXAMPLE_RECIPIENT), &recipient));
	assert_good(age_writer_begin(&recipient, 1, &file, &file_key, nonce));
	size_t head = file.len - AGE_NONCE;
	assert_good(age_stream_new(file_key, nonce, &stream));
	assert_good(age_stream_seal(stream, 0, true, view_of(NULL, 0), sealed));
	assert_good(buf_add(&file, sealed, sizeof sealed));
	assert_good(age_stream_pin(file_key, nonce, pin));
	struct store s = {view_buf(&file), 0, 0};
	assert_good(open_store(&s, &r));
	assert_memory_equal(age_reader_pin(r), pin, sizeof pin);
	assert_true(age_reader_header_size(r) == head);
}

static void open_cut_short_anywhere_refuses(void **state)
{
	CLEANUP(buf_done) struct buf plain = {0}, file = {0};

	(void)state;
	fill_plain(&plain, AGE_CHUNK + 50);
	seal_file(view_buf(&plain), &file);
	size_t head = file.len - AGE_SEALED_CHUNK - 66;
	for (size_t len = 0; len < file.len;
	     len += len < head + 40 || len > file.len - 80 ? 1 : 3001) {
		CLEANUP(age_reader_free) struct age_reader *r = NULL;
		uint8_t *exact = exact_copy(file.data, len);
		struct store s = {view_of(exact, len), 0, 0};
		assert_code(open_store(&s, &r), len < head ? E_INVALID : E_INTEGRITY);
		assert_null(r);
		free(exact);
	}
}

/* Cut at a chunk's end: all that is left authenticates, but no chunk as the last. */
static void open_cut_at_the_end_of_a_chunk_refuses(void **state)
{
	CLEANUP(buf_done) struct buf plain = {0}, file = {0};

	(void)state;
	fill_plain(&plain, 3 * AGE_CHUNK);
	seal_file(view_buf(&plain), &file);
	for (size_t cut = 1; cut <= 3; cut++) {
		CLEANUP(age_reader_free) struct age_reader *r = NULL;
		struct store s = {view_of(file.data, file.len - cut * AGE_SEALED_CHUNK), 0, 0};
		assert_code(open_store(&s, &r), E_INTEGRITY);
	}
}

static void open_with_bytes_behind_the_end_refuses(void **state)
{
	static const uint8_t zero[AGE_SEALED_CHUNK];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(telling_sizes); i++)
		for (size_t more = 1; more <= AGE_SEALED_CHUNK;
		     more = more == 16 ? AGE_SEALED_CHUNK : more * 4) {
			CLEANUP(buf_done) struct buf plain = {0}, file = {0};
			CLEANUP(age_reader_free) struct age_reader *r = NULL;
			fill_plain(&plain, telling_sizes[i]);
			seal_file(view_buf(&plain), &file);
			assert_good(buf_add(&file, zero, more));
			struct store s = {view_buf(&file), 0, 0};
			assert_code(open_store(&s, &r), E_INTEGRITY);
		}
}

static void open_crooked_streams_refuses(void **state)
{
	static const struct {
		struct crooked chunk[2];
		size_t count;
	} rows[] = {
	    {{{0}}, 0},
	    {{{AGE_CHUNK, false}}, 1},
	    {{{AGE_CHUNK, false}, {AGE_CHUNK, false}}, 2},
	    {{{100, true}, {100, true}}, 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_done) struct buf file = {0};
		CLEANUP(age_reader_free) struct age_reader *r = NULL;
		seal_crooked(rows[i].chunk, rows[i].count, &file);
		struct store s = {view_buf(&file), 0, 0};
		assert_code(open_store(&s, &r), E_INTEGRITY);
	}
}

/* Two last chunks: it opens (the last is good), and the earlier one shows when it is read. */
static void read_a_chunk_sealed_as_last_in_the_middle_refuses(void **state)
{
	static const struct crooked chunks[] = {{AGE_CHUNK, true}, {7, true}};
	CLEANUP(buf_done) struct buf file = {0};
	CLEANUP(age_reader_free) struct age_reader *r = NULL;
	uint8_t data[7], digest[SHA256_SIZE];
	size_t got = 99;

	(void)state;
	seal_crooked(chunks, 2, &file);
	struct store s = {view_buf(&file), 0, 0};
	assert_good(open_store(&s, &r));
	assert_good(age_reader_read(r, data, 7, AGE_CHUNK, &got));
	assert_int_equal(got, 7);
	got = 99;
	assert_code(age_reader_read(r, data, 7, 0, &got), E_INTEGRITY);
	assert_int_equal(got, 99);
	assert_code(age_reader_verify(r, digest), E_INTEGRITY);
}

static void read_an_altered_chunk_refuses_and_others_go_on(void **state)
{
	CLEANUP(buf_done) struct buf plain = {0}, file = {0};
	CLEANUP(age_reader_free) struct age_reader *r = NULL;
	uint8_t data[100], digest[SHA256_SIZE];
	size_t got = 0;

	(void)state;
	fill_plain(&plain, 3 * AGE_CHUNK);
	seal_file(view_buf(&plain), &file);
	file.data[file.len - AGE_SEALED_CHUNK - 1] ^= 0x80; /* the tag of the second chunk */
	struct store s = {view_buf(&file), 0, 0};
	assert_good(open_store(&s, &r));
	assert_good(age_reader_read(r, data, sizeof data, 0, &got));
	assert_memory_equal(data, plain.data, sizeof data);
	assert_code(age_reader_read(r, data, sizeof data, AGE_CHUNK, &got), E_INTEGRITY);
	assert_code(age_reader_read(r, data, sizeof data, AGE_CHUNK, &got), E_INTEGRITY);
	memset(data, 0, sizeof data);
	assert_good(age_reader_read(r, data, sizeof data, 0, &got));
	assert_memory_equal(data, plain.data, sizeof data);
	assert_good(age_reader_read(r, data, sizeof data, 2 * AGE_CHUNK, &got));
	assert_memory_equal(data, plain.data + 2 * AGE_CHUNK, sizeof data);
	assert_code(age_reader_verify(r, digest), E_INTEGRITY);
}

/* verify() looks at the disk even where a chunk is held in memory. */
static void verify_sees_a_change_of_the_chunk_in_hand(void **state)
{
	CLEANUP(buf_done) struct buf file = {0};
	CLEANUP(age_reader_free) struct age_reader *r = NULL;
	uint8_t digest[SHA256_SIZE];

	(void)state;
	seal_file(view_text("hello"), &file);
	struct store s = {view_buf(&file), 0, 0};
	assert_good(open_store(&s, &r));
	file.data[file.len - 1] ^= 1;
	assert_code(age_reader_verify(r, digest), E_INTEGRITY);
}

static void open_for_somebody_else_refuses(void **state)
{
	CLEANUP(buf_done) struct buf file = {0};
	CLEANUP(secret_free) struct secret *other = NULL;
	CLEANUP(age_reader_free) struct age_reader *r = NULL;

	(void)state;
	assert_good(age_identity_new(&other));
	seal_file(view_text("hello"), &file);
	struct store s = {view_buf(&file), 0, 0};
	struct age_source source = {read_store, &s, s.file.len};
	assert_code(age_reader_open(&source, other, &r), E_DENIED);
}

/* A header beyond the first read: some hundred recipients, ours the last. */
static void open_with_a_crowd_of_recipients(void **state)
{
	CLEANUP(buf_done) struct buf file = {0};
	CLEANUP(age_reader_free) struct age_reader *r = NULL;
	CLEANUP(age_writer_free) struct age_writer *w = NULL;
	CLEANUP(secret_free) struct secret *other = NULL;
	struct age_recipient crowd[100];
	uint8_t data[5];
	size_t got = 0;

	(void)state;
	assert_good(age_identity_new(&other));
	for (size_t i = 0; i < 99; i++)
		assert_good(age_identity_recipient(other, &crowd[i]));
	assert_good(age_recipient_from_text(view_text(EXAMPLE_RECIPIENT), &crowd[99]));
	assert_good(age_writer_new(crowd, 100, add_to_buf, &file, &w));
	assert_good(age_writer_add(w, view_text("hello")));
	assert_good(age_writer_end(w));
	struct store s = {view_buf(&file), 0, 0};
	assert_good(open_store(&s, &r));
	assert_good(age_reader_read(r, data, sizeof data, 0, &got));
	assert_memory_equal(data, "hello", 5);
}

static void any_read_that_fails_fails_the_whole(void **state)
{
	CLEANUP(buf_done) struct buf plain = {0}, file = {0};
	unsigned failed = 0;
	int rc = E_IO;

	(void)state;
	fill_plain(&plain, 2 * AGE_CHUNK);
	seal_file(view_buf(&plain), &file);
	for (unsigned n = 1; rc && n < 100; n++) {
		CLEANUP(age_reader_free) struct age_reader *r = NULL;
		uint8_t digest[SHA256_SIZE];
		struct store s = {view_buf(&file), 0, n};
		rc = open_store(&s, &r);
		if (!rc)
			rc = age_reader_verify(r, digest);
		err_clear();
		assert_true(rc == 0 || rc == E_IO);
		failed += rc != 0;
	}
	assert_int_equal(rc, 0);
	assert_true(failed >= 4); /* header, nonce, last chunk, first chunk */
}

/* The source is shorter than it said: the file was cut while open. */
static void read_of_a_file_cut_while_open_refuses(void **state)
{
	CLEANUP(buf_done) struct buf plain = {0}, file = {0};
	CLEANUP(age_reader_free) struct age_reader *r = NULL;
	uint8_t data[1];
	size_t got = 0;

	(void)state;
	fill_plain(&plain, 2 * AGE_CHUNK);
	seal_file(view_buf(&plain), &file);
	struct store s = {view_buf(&file), 0, 0};
	assert_good(open_store(&s, &r));
	s.file.len -= AGE_SEALED_CHUNK + 1;
	assert_code(age_reader_read(r, data, 1, 0, &got), E_INTEGRITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(read_any_range_gives_the_plaintext),
	    cmocka_unit_test(verify_whole_file_gives_its_hash),
	    cmocka_unit_test(read_from_a_descriptor),
	    cmocka_unit_test(read_in_small_steps_opens_each_chunk_once),
	    cmocka_unit_test(pin_is_the_streams_pin),
	    cmocka_unit_test(open_cut_short_anywhere_refuses),
	    cmocka_unit_test(open_cut_at_the_end_of_a_chunk_refuses),
	    cmocka_unit_test(open_with_bytes_behind_the_end_refuses),
	    cmocka_unit_test(open_crooked_streams_refuses),
	    cmocka_unit_test(read_a_chunk_sealed_as_last_in_the_middle_refuses),
	    cmocka_unit_test(read_an_altered_chunk_refuses_and_others_go_on),
	    cmocka_unit_test(verify_sees_a_change_of_the_chunk_in_hand),
	    cmocka_unit_test(open_for_somebody_else_refuses),
	    cmocka_unit_test(open_with_a_crowd_of_recipients),
	    cmocka_unit_test(any_read_that_fails_fails_the_whole),
	    cmocka_unit_test(read_of_a_file_cut_while_open_refuses),
	};

	return cmocka_run_group_tests_name("age/reader", tests, set_up, tear_down);
}
