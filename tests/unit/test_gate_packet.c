/* SPDX-License-Identifier: Apache-2.0 */
#include "base_kit.h"

#include "daemon/gate/sftp.h"
#include "daemon/gate/sftp_packet.h"
#include "wire/codec.h"

/* What a stream of packets came to, as text: one line a packet, pieces of a WRITE joined. */
struct seen {
	struct buf text;
	struct buf data; /* of the WRITE under way */
	bool writing;
};

static void note(struct seen *s, const struct packet *p)
{
	if (p->kind == PACKET_REQUEST) {
		assert_false(s->writing);
		assert_int_equal(buf_printf(&s->text, "request %u %.*s\n", p->type,
					    (int)p->body.len, (const char *)p->body.data),
				 0);
		return;
	}
	assert_int_equal(p->kind, PACKET_WRITE);
	assert_int_equal(p->first, !s->writing);
	s->writing = !p->last;
	if (p->first)
		assert_int_equal(buf_printf(&s->text, "write %u %.*s %llu ", p->id,
					    (int)p->handle.len, (const char *)p->handle.data,
					    (unsigned long long)p->offset),
				 0);
	assert_int_equal(buf_add(&s->text, p->data.data, p->data.len), 0);
	if (p->last)
		assert_int_equal(buf_add_text(&s->text, "\n"), 0);
}

/* Feeds one run of bytes in a heap buffer of exactly its size; all of it has to be used.
 * Each packet is refused `refusals` times before it is taken. */
static int feed(struct packets *p, struct view bytes, unsigned refusals, struct seen *s)
{
	uint8_t *exact = malloc(bytes.len ? bytes.len : 1);
	struct view in = view_of(exact, bytes.len);
	struct packet packet = {.kind = PACKET_REQUEST};
	int rc = 0;

	assert_non_null(exact);
	if (bytes.len)
		memcpy(exact, bytes.data, bytes.len);
	while (!rc && packet.kind != PACKET_NONE) {
		for (unsigned i = 0; i <= refusals && !rc; i++)
			rc = packets_next(p, &in, &packet);
		if (rc || packet.kind == PACKET_NONE)
			break;
		note(s, &packet);
		packets_took(p, &in);
	}
	if (!rc)
		assert_int_equal(in.len, 0);
	free(exact);
	return rc;
}

static const char all_seen[] = "request 1 abcd\n"
			       "write 7 hand 65536 some data\n"
			       "request 17 \n"
			       "write 8  0 \n"
			       "write 9 h 1 x\n";

static size_t write_all(uint8_t *bytes, size_t cap)
{
	struct writer w = writer_of(bytes, cap);

	write_u32(&w, 5);
	write_u8(&w, FXP_INIT);
	write_raw(&w, "abcd", 4);
	write_u32(&w, 1 + 4 + 8 + 8 + 4 + 9);
	write_u8(&w, FXP_WRITE);
	write_u32(&w, 7);
	write_bytes(&w, view_text("hand"));
	write_u64(&w, 65536);
	write_bytes(&w, view_text("some data"));
	write_u32(&w, 1);
	write_u8(&w, FXP_STAT);
	write_u32(&w, 1 + 4 + 4 + 8 + 4);
	write_u8(&w, FXP_WRITE);
	write_u32(&w, 8);
	write_bytes(&w, view_text(""));
	write_u64(&w, 0);
	write_bytes(&w, view_text(""));
	write_u32(&w, 1 + 4 + 5 + 8 + 5);
	write_u8(&w, FXP_WRITE);
	write_u32(&w, 9);
	write_bytes(&w, view_text("h"));
	write_u64(&w, 1);
	write_bytes(&w, view_text("x"));
	assert_false(w.full);
	return w.len;
}

static void check(struct packets *p, struct seen *s, const char *wanted)
{
	const char *text = NULL;

	assert_int_equal(buf_text(&s->text, &text), 0);
	assert_string_equal(text, wanted);
	buf_done(&s->text);
	packets_done(p);
}

static void take_whole_gives_all(void **state)
{
	uint8_t bytes[256];
	struct packets p = {0};
	struct seen s = {0};
	size_t len = write_all(bytes, sizeof bytes);

	(void)state;
	assert_int_equal(feed(&p, view_of(bytes, len), 0, &s), 0);
	check(&p, &s, all_seen);
}

static void take_byte_by_byte_gives_all(void **state)
{
	uint8_t bytes[256];
	struct packets p = {0};
	struct seen s = {0};
	size_t len = write_all(bytes, sizeof bytes);

	(void)state;
	for (size_t i = 0; i < len; i++)
		assert_int_equal(feed(&p, view_of(bytes + i, 1), 1, &s), 0);
	check(&p, &s, all_seen);
}

static void take_split_at_every_offset_gives_all(void **state)
{
	uint8_t bytes[256];
	size_t len = write_all(bytes, sizeof bytes);

	(void)state;
	for (size_t at = 0; at <= len; at++) {
		struct packets p = {0};
		struct seen s = {0};
		assert_int_equal(feed(&p, view_of(bytes, at), 2, &s), 0);
		assert_int_equal(feed(&p, view_of(bytes + at, len - at), 2, &s), 0);
		check(&p, &s, all_seen);
	}
}

static void refuse_packet_keeps_it_first_in_line(void **state)
{
	uint8_t bytes[256];
	struct packets p = {0};
	struct packet first, again;
	size_t len = write_all(bytes, sizeof bytes);
	struct view in = view_of(bytes, len);

	(void)state;
	assert_int_equal(packets_next(&p, &in, &first), 0);
	assert_int_equal(packets_next(&p, &in, &again), 0);
	assert_int_equal(again.type, FXP_INIT);
	assert_ptr_equal(first.body.data, again.body.data);
	packets_took(&p, &in);
	assert_int_equal(packets_next(&p, &in, &first), 0);
	assert_int_equal(packets_next(&p, &in, &again), 0);
	assert_int_equal(again.kind, PACKET_WRITE);
	assert_true(again.first && again.last);
	assert_int_equal(again.data.len, 9);
	packets_done(&p);
}

/* Data of a WRITE is never gathered: the views lie in what was fed. */
static void take_write_gives_borrowed_pieces(void **state)
{
	uint8_t bytes[256];
	struct packets p = {0};
	struct packet piece;
	size_t len = write_all(bytes, sizeof bytes), head = 9 + 4 + 1 + 8 + 8 + 4 + 4;
	struct view in = view_of(bytes, head + 4);

	(void)state;
	assert_true(len > head + 4);
	assert_int_equal(packets_next(&p, &in, &piece), 0);
	packets_took(&p, &in);
	assert_int_equal(packets_next(&p, &in, &piece), 0);
	assert_int_equal(piece.kind, PACKET_WRITE);
	assert_true(piece.first && !piece.last);
	assert_true(piece.data.data >= bytes && piece.data.data < bytes + sizeof bytes);
	packets_took(&p, &in);
	assert_int_equal(packets_next(&p, &in, &piece), 0);
	assert_int_equal(piece.kind, PACKET_NONE);
	packets_done(&p);
}

static int feed_alone(const uint8_t *bytes, size_t len)
{
	int rc = 0;

	/* However it comes, the verdict is the same. */
	for (size_t at = 0; at <= len; at++) {
		struct packets p = {0};
		struct seen s = {0};
		rc = feed(&p, view_of(bytes, at), 0, &s);
		if (!rc)
			rc = feed(&p, view_of(bytes + at, len - at), 0, &s);
		buf_done(&s.text);
		packets_done(&p);
		if (rc != E_PROTOCOL)
			return rc;
		err_clear();
	}
	return rc;
}

static void take_empty_packet_is_refused(void **state)
{
	const uint8_t bytes[] = {0, 0, 0, 0, FXP_STAT};

	(void)state;
	assert_int_equal(feed_alone(bytes, sizeof bytes), E_PROTOCOL);
}

static void take_long_request_is_refused(void **state)
{
	uint8_t bytes[5];
	struct writer w = writer_of(bytes, sizeof bytes);

	(void)state;
	write_u32(&w, REQUEST_MAX + 1);
	write_u8(&w, FXP_STAT);
	assert_int_equal(feed_alone(bytes, sizeof bytes), E_PROTOCOL);
}

static void take_longest_request_is_given(void **state)
{
	uint8_t *bytes = mem_new(4 + REQUEST_MAX);
	struct writer w = writer_of(bytes, 4 + REQUEST_MAX);
	struct packets p = {0};
	struct packet packet;

	(void)state;
	write_u32(&w, REQUEST_MAX);
	write_u8(&w, FXP_STAT);
	struct view front = view_of(bytes, 100), rest = view_of(bytes + 100, 4 + REQUEST_MAX - 100);
	assert_int_equal(packets_next(&p, &front, &packet), 0);
	assert_int_equal(packet.kind, PACKET_NONE);
	assert_int_equal(packets_next(&p, &rest, &packet), 0);
	assert_int_equal(packet.kind, PACKET_REQUEST);
	assert_int_equal(packet.body.len, REQUEST_MAX - 1);
	packets_took(&p, &rest);
	assert_int_equal(p.held.cap, 0); /* a long one leaves no memory behind */
	packets_done(&p);
	free(bytes);
}

static void take_long_write_is_refused(void **state)
{
	uint8_t bytes[5];
	struct writer w = writer_of(bytes, sizeof bytes);

	(void)state;
	write_u32(&w, PACKET_MAX + 1);
	write_u8(&w, FXP_WRITE);
	assert_int_equal(feed_alone(bytes, sizeof bytes), E_PROTOCOL);
}

static size_t write_head(uint8_t *bytes, uint32_t len, uint32_t handle_len, uint32_t data_len)
{
	struct writer w = writer_of(bytes, 512);

	write_u32(&w, len);
	write_u8(&w, FXP_WRITE);
	write_u32(&w, 1);
	write_u32(&w, handle_len);
	for (uint32_t i = 0; i < handle_len && i < HANDLE_MAX; i++)
		write_u8(&w, 'h');
	write_u64(&w, 0);
	write_u32(&w, data_len);
	return w.len;
}

static void take_write_with_long_handle_is_refused(void **state)
{
	uint8_t bytes[512];
	size_t len = write_head(bytes, 1024, HANDLE_MAX + 1, 0);

	(void)state;
	assert_int_equal(feed_alone(bytes, len), E_PROTOCOL);
	(void)write_head(bytes, 1024, UINT32_MAX, 0);
	assert_int_equal(feed_alone(bytes, len), E_PROTOCOL);
}

static void take_write_shorter_than_its_parts_is_refused(void **state)
{
	uint8_t bytes[512];
	size_t len = write_head(bytes, 1 + 4 + 4 + 8 + 8 + 3, 8, 0);

	(void)state;
	assert_int_equal(feed_alone(bytes, len), E_PROTOCOL);
	for (uint32_t all = 1; all < 25; all++) {
		len = write_head(bytes, all, 8, 0);
		assert_int_equal(feed_alone(bytes, len), E_PROTOCOL);
	}
}

static void take_write_whose_lengths_disagree_is_refused(void **state)
{
	uint8_t bytes[512];
	size_t len = write_head(bytes, 1 + 4 + 4 + 8 + 8 + 4 + 5, 8, 6);

	(void)state;
	assert_int_equal(feed_alone(bytes, len), E_PROTOCOL);
	len = write_head(bytes, 1 + 4 + 4 + 8 + 8 + 4 + 5, 8, UINT32_MAX);
	assert_int_equal(feed_alone(bytes, len), E_PROTOCOL);
}

static void take_write_with_more_behind_its_data_passes_over_it(void **state)
{
	uint8_t bytes[256];
	struct writer w = writer_of(bytes, sizeof bytes);

	(void)state;
	for (uint32_t data = 0; data < 2; data++) {
		write_u32(&w, 1 + 4 + 5 + 8 + 4 + data + 20);
		write_u8(&w, FXP_WRITE);
		write_u32(&w, 3);
		write_bytes(&w, view_text("h"));
		write_u64(&w, 5);
		write_bytes(&w, view_of("d", data));
		write_raw(&w, "not a part of it, no", 20);
	}
	write_u32(&w, 1);
	write_u8(&w, FXP_STAT);
	assert_false(w.full);
	for (size_t at = 0; at <= w.len; at++) {
		struct packets p = {0};
		struct seen s = {0};
		assert_int_equal(feed(&p, view_of(bytes, at), 2, &s), 0);
		assert_int_equal(feed(&p, view_of(bytes + at, w.len - at), 2, &s), 0);
		check(&p, &s, "write 3 h 5 \nwrite 3 h 5 d\nrequest 17 \n");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(take_whole_gives_all),
	    cmocka_unit_test(take_byte_by_byte_gives_all),
	    cmocka_unit_test(take_split_at_every_offset_gives_all),
	    cmocka_unit_test(refuse_packet_keeps_it_first_in_line),
	    cmocka_unit_test(take_write_gives_borrowed_pieces),
	    cmocka_unit_test(take_empty_packet_is_refused),
	    cmocka_unit_test(take_long_request_is_refused),
	    cmocka_unit_test(take_longest_request_is_given),
	    cmocka_unit_test(take_long_write_is_refused),
	    cmocka_unit_test(take_write_with_long_handle_is_refused),
	    cmocka_unit_test(take_write_shorter_than_its_parts_is_refused),
	    cmocka_unit_test(take_write_whose_lengths_disagree_is_refused),
	    cmocka_unit_test(take_write_with_more_behind_its_data_passes_over_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
