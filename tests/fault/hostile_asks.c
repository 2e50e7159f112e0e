/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile_asks.h"

#include "base/text.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/token.h"

#define FIELD(kind, name) {KIND_##kind, #name},
#define VERB(number, NAME, name, phase, fds) \
	static const struct field fields_##name[] = {FIELDS_ask_##name(FIELD){0, NULL}};
WIRE_ASKS(VERB)
#undef VERB

static const struct {
	uint16_t verb;
	const struct field *field;
} fields[] = {
#define VERB(number, NAME, name, phase, fds) {number, fields_##name},
    WIRE_ASKS(VERB)
#undef VERB
};

/* ---- what an ask is about ---- */

static uint8_t digest[SHA256_STATE_SIZE];

/* The one chunk of the last upload that was finished without a blob; of the one before, too. */
static struct {
	uint8_t bytes[AGE_SEALED_CHUNK];
	size_t len;
} content[2], *sealed = content;

/* Not much of eve's quota, as some uploads stay for a while. */
enum { DECLARED = 4 * CHUNK };

static void make_digest(uint64_t chunks)
{
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, model, (size_t)chunks * CHUNK);
	sha256_save(&h, digest);
}

static void keep_content(const struct upload *u)
{
	sealed = sealed == content ? content + 1 : content;
	memcpy(sealed->bytes, u->content, u->content_len);
	sealed->len = u->content_len;
}

static uint64_t an_upload(struct siege *s, uint16_t verb)
{
	struct upload u =
	    put_taken(s->hostile, s->of_eve,
		      ASK(s->hostile, put_open, PUT_OPEN, s->of_eve, .path = view_text(eve_path(s)),
			  .flags = PUT_CREATE, .declared = DECLARED));

	tally.messages++;
	if (verb == VERB_PUT_FINISH)
		put_seal_all(&u, model, EVE_SIZE, 0);
	else if (verb != VERB_PUT_STORE)
		put_seal(&u, model, 0, 2);
	if (u.fd >= 0)
		assert_good(sys_sync_data(u.fd));
	if (u.content_len)
		keep_content(&u);
	upload_done(&u);
	make_digest(2);
	return u.m.put;
}

static uint64_t a_download(struct siege *s)
{
	HEARD *h = ASK(s->hostile, get_open, GET_OPEN, s->of_eve,
		       .path = view_text("/acme/deliverables/open"));
	struct answer_get_open m;

	tally.messages++;
	READ(h, get_open, &m);
	return m.get;
}

/* The steps of AUTH. */
static const uint8_t steps[] = {AUTH_SIGNED, AUTH_QUERY, AUTH_CERTIFICATE, AUTH_TOKEN};

unsigned wish_kinds(const struct verb_row *row)
{
	return row->number == VERB_AUTH ? ARRAY_LEN(steps) : 1;
}

static uint64_t a_knock(struct siege *s, const struct verb_row *row, unsigned kind)
{
	if (row->number == VERB_AUTH && steps[kind] <= AUTH_SIGNED)
		return gate_session(s->hostile, EVE_PEER);
	return siege_https(s, EVE_PEER);
}

static uint64_t subject_of(struct siege *s, const struct verb_row *row, unsigned kind)
{
	switch (row->phase) {
	case PHASE_KNOCK:
		return a_knock(s, row, kind);
	case PHASE_ANY:
	case PHASE_SESSION:
		return s->of_eve;
	case PHASE_PUT:
		return an_upload(s, row->number);
	case PHASE_GET:
		return a_download(s);
	default:
		return 0;
	}
}

/* ---- what it says ---- */

#define N(x)             \
	{                \
		.n = (x) \
	}
#define TEXT(x)                       \
	{                             \
		.bytes = view_text(x) \
	}
#define WISH(...)                                             \
	do {                                                  \
		const struct value list_[] = {__VA_ARGS__};   \
		assert_true(ARRAY_LEN(list_) <= WISH_FIELDS); \
		memcpy(w->value, list_, sizeof list_);        \
		count = ARRAY_LEN(list_);                     \
	} while (0)

/* A file of eve's that is there, and a folder. */
static const char *a_file(struct siege *s)
{
	const char *path = eve_path(s);

	put_whole(s->hostile, s->of_eve, path, model, EVE_SIZE);
	return path;
}

static const char *a_folder(struct siege *s)
{
	const char *path = eve_path(s);

	expect_answer(ASK(s->hostile, make_dir, MAKE_DIR, s->of_eve, .path = view_text(path)), 0,
		      "");
	return path;
}

/* As an operator would have made it. */
static const char *a_code(struct siege *s)
{
	static char code[ENROLMENT_LEN + 1];
	struct catalog *c = s->live.keep->catalog;
	struct enrolment_row row = {.principal = s->eve_id,
				    .made_us = 1,
				    .expires_us = INT64_MAX,
				    .networks = EVE_NETWORKS};

	assert_good(enrolment_make(code));
	assert_good(enrolment_hash(view_text(code), row.code_hash));
	assert_good(catalog_begin(c));
	assert_good(catalog_enrolment_add(c, &row));
	assert_good(catalog_commit(c));
	return code;
}

/* Of an upload that is finished. */
static uint64_t a_record(struct siege *s)
{
	(void)a_file(s);
	return audit_next(s->live.keep->audit) - 1;
}

/* It stays, with nothing in it. */
static const char *an_unfinished(struct siege *s)
{
	const char *path = eve_path(s);
	struct upload u =
	    put_taken(s->hostile, s->of_eve,
		      ASK(s->hostile, put_open, PUT_OPEN, s->of_eve, .path = view_text(path),
			  .flags = PUT_CREATE, .declared = SIZE_UNKNOWN));

	tally.messages++;
	expect_answer(
	    ASK(s->hostile, put_suspend, PUT_SUSPEND, u.m.put, .stay = 1, .mtime_s = TIME_UNKNOWN),
	    0, "");
	upload_done(&u);
	return path;
}

static unsigned say_auth(struct siege *s, unsigned kind, struct wish *w)
{
	unsigned count = 0;

	switch (steps[kind]) {
	case AUTH_CERTIFICATE:
		WISH(N(AUTH_CERTIFICATE), TEXT(""),
		     {.bytes = view_of(s->eve_spki, sizeof s->eve_spki)}, TEXT("curl/8"),
		     TEXT("TLSv1.3 TLS_AES_256_GCM_SHA384"));
		break;
	case AUTH_TOKEN:
		WISH(N(AUTH_TOKEN), TEXT(""), TEXT(s->eve_token), TEXT("curl/8"),
		     TEXT("TLSv1.3 TLS_AES_256_GCM_SHA384"));
		break;
	default:
		WISH(N(steps[kind]), TEXT("eve"), {.bytes = view_buf(&s->eve.key)},
		     TEXT("SSH-2.0-eve"), TEXT("aes256-gcm@openssh.com"));
	}
	return count;
}

static unsigned say_session(struct siege *s, unsigned kind, struct wish *w)
{
	unsigned count = 0;

	switch (w->row->number) {
	case VERB_HELLO:
		WISH(N(WIRE_VERSION));
		break;
	case VERB_SESSION_OPEN:
		WISH(TEXT("sftp"), TEXT(EVE_PEER), N(4711));
		break;
	case VERB_AUTH:
		count = say_auth(s, kind, w);
		break;
	case VERB_SESSION_NOTE:
		WISH(N(1), TEXT("asked for a shell"));
		break;
	case VERB_SESSION_CLOSE:
		WISH(N(10), N(20), TEXT("bye"));
		break;
	case VERB_ENROLL:
		WISH(TEXT(a_code(s)), N(0), TEXT("a client of eve's"));
		assert_good(random_bytes(w->value[1].hash, WIRE_HASH));
		break;
	case VERB_RECEIPT:
		WISH(N(a_record(s)));
		break;
	case VERB_LOG_FILE:
		WISH(N(LOG_TILE), N(0), N(0), N(2));
		break;
	case VERB_LOG_QUERY:
		WISH(N(1), N(INT64_C(253402300799) * 1000000), TEXT("evezone"), TEXT("operator:0"),
		     TEXT("zone.add"), TEXT("ok"), TEXT(""), N(0), N(1000), N(5));
		break;
	}
	return count;
}

static unsigned say_tree(struct siege *s, struct wish *w)
{
	unsigned count = 0;

	switch (w->row->number) {
	case VERB_STAT:
	case VERB_SPACE:
		WISH(TEXT("/acme/incoming"));
		break;
	case VERB_LIST:
		WISH(TEXT("/acme/incoming"), N(0), N(1));
		break;
	case VERB_MAKE_DIR:
		WISH(TEXT(eve_path(s)));
		break;
	case VERB_REMOVE_DIR:
		WISH(TEXT(a_folder(s)));
		break;
	case VERB_REMOVE:
		WISH(TEXT(a_file(s)));
		break;
	case VERB_RENAME:
		WISH(TEXT(a_file(s)), TEXT("/acme/incoming/eve-renamed"), N(1));
		break;
	case VERB_SET_ATTRS:
		WISH(TEXT(a_file(s)), N(1700000000), N(SIZE_UNKNOWN));
		break;
	}
	return count;
}

static unsigned say_transfer(struct siege *s, struct wish *w)
{
	static uint8_t ranges[32];
	struct writer r = writer_of(ranges, sizeof ranges);
	unsigned count = 0;

	write_u64(&r, 0);
	write_u64(&r, 10);
	write_u64(&r, 500);
	write_u64(&r, OPEN_SIZE);
	switch (w->row->number) {
	case VERB_PUT_OPEN:
		WISH(TEXT(eve_path(s)), N(PUT_CREATE), N(DECLARED), TEXT(""), TEXT(""));
		break;
	case VERB_UPLOAD:
		WISH(TEXT(""), TEXT(an_unfinished(s)));
		break;
	case VERB_PUT_EXTEND:
		WISH(N(2 * CHUNK), N(3 * CHUNK));
		break;
	case VERB_PUT_REKEY:
		WISH(N(2 * CHUNK));
		break;
	case VERB_PUT_SUSPEND:
		WISH(N(1), N(0), N(2 * CHUNK), N(2), {.bytes = view_of(digest, sizeof digest)},
		     {.bytes = view_of(model + 2 * CHUNK, 100)}, N(1700000000), TEXT("gone"));
		break;
	case VERB_PUT_FINISH:
		WISH(N(EVE_SIZE), N(0), N(1700000000),
		     {.bytes = view_of(sealed->bytes, sealed->len)});
		sha256_of(view_of(model, EVE_SIZE), w->value[1].hash);
		break;
	case VERB_PUT_DROP:
		WISH(N(1), TEXT("a write failed"));
		break;
	case VERB_GET_OPEN:
		WISH(TEXT("/acme/deliverables/open"));
		break;
	case VERB_GET_CLOSE:
		WISH(N(510), {.bytes = view_of(ranges, sizeof ranges)}, N(0));
		break;
	}
	return count;
}

void wish_make(struct siege *s, const struct verb_row *row, unsigned kind, struct wish *ret_wish)
{
	struct wish w = {.row = row};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].verb == row->number)
			w.field = fields[i].field;
	assert_non_null(w.field);
	while (w.field[w.fields].name)
		w.fields++;
	if (row->phase == PHASE_NEW) {
		fake_gate_free(s->hostile);
		s->hostile = fake_gate_new(&s->live);
	}
	w.subject = subject_of(s, row, kind);
	unsigned said = say_session(s, kind, &w) + say_tree(s, &w) + say_transfer(s, &w);
	if (said != w.fields)
		print_message("# '%s' has %u fields, its wish %u\n", row->name, w.fields, said);
	assert_int_equal(said, w.fields);
	*ret_wish = w;
}

/* ---- as bytes ---- */

static void add_number(struct buf *out, uint64_t n, unsigned bytes)
{
	uint8_t be[8];

	for (unsigned i = 0; i < bytes; i++)
		be[i] = (uint8_t)(n >> (8 * (bytes - 1 - i)));
	assert_good(buf_add(out, be, bytes));
}

struct buf wish_body(const struct wish *w)
{
	static const unsigned width[] = {
	    [KIND_u8] = 1, [KIND_u16] = 2, [KIND_u32] = 4, [KIND_u64] = 8, [KIND_i64] = 8};
	struct buf out = {0};

	for (unsigned i = 0; i < w->fields; i++) {
		const struct value *v = &w->value[i];
		if (w->field[i].kind == KIND_bytes) {
			add_number(&out, (uint32_t)v->bytes.len + v->lie, 4);
			if (v->bytes.len)
				assert_good(buf_add(&out, v->bytes.data, v->bytes.len));
		} else if (w->field[i].kind == KIND_hash) {
			assert_good(buf_add(&out, v->hash, sizeof v->hash));
		} else {
			add_number(&out, v->n, width[w->field[i].kind]);
		}
	}
	return out;
}
