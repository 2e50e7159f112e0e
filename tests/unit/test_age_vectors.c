/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The published vectors of the age format (C2SP/CCTV, age/testdata), read from the folder
 * that the environment variable AGE_VECTORS names; without it all is skipped, aloud.
 *
 * A vector is "key: value" lines, an empty line, and an age file (deflated where it says
 * "compressed: zlib"). Those with X25519 identities must decrypt, or fail, as `expect` says,
 * in sequence and through the random access reader, and hand out exactly the bytes whose hash
 * is `payload`. Of the kinds that are not read here (ASCII armor, scrypt, hybrid) each must be
 * refused, with nothing handed out. TAP of its own: one test a vector.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif

#include "age/decrypt.h"
#include "age/reader.h"
#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"

enum { FILE_LIMIT = 64 << 20, IDENTITIES = 8 };

struct vector {
	struct buf bytes, file; /* as stored; the age file in it, inflated */
	char expect[32];
	uint8_t payload[SHA256_SIZE];
	bool has_payload, armored, compressed;
	struct secret *identity[IDENTITIES]; /* those that are X25519 */
	size_t identity_count;
};

static void vector_done(struct vector *v)
{
	buf_done(&v->bytes);
	buf_done(&v->file);
	for (size_t i = 0; i < v->identity_count; i++)
		secret_free(&v->identity[i]);
}

static bool value_of(struct view line, const char *key, struct view *ret_value)
{
	size_t len = strlen(key);

	if (line.len < len + 2 || memcmp(line.data, key, len) != 0 || line.data[len] != ':' ||
	    line.data[len + 1] != ' ')
		return false;
	*ret_value = view_of(line.data + len + 2, line.len - len - 2);
	return true;
}

static int note_identity(struct vector *v, struct view text)
{
	if (text.len > 18 && memcmp(text.data, "AGE-SECRET-KEY-PQ-", 18) == 0)
		return 0;
	if (v->identity_count == IDENTITIES)
		return fail(E_LIMIT, "too many identities");
	int rc = age_identity_from_text(text, &v->identity[v->identity_count]);
	v->identity_count += rc == 0;
	return rc;
}

static int note_line(struct vector *v, struct view line)
{
	struct view value = {0};

	if (value_of(line, "expect", &value)) {
		(void)snprintf(v->expect, sizeof v->expect, "%.*s", (int)value.len,
			       (const char *)value.data);
		return 0;
	}
	if (value_of(line, "payload", &value)) {
		v->has_payload = true;
		return hex_decode(value, v->payload, sizeof v->payload);
	}
	if (value_of(line, "identity", &value))
		return note_identity(v, value);
	v->armored |= value_of(line, "armored", &value);
	if (value_of(line, "compressed", &value)) {
		v->compressed = true;
		return view_is(value, "zlib") ? 0 : fail(E_UNSUPPORTED, "unknown compression");
	}
	return 0;
}

static int inflate_file(struct view packed, struct buf *out)
{
#ifdef HAVE_ZLIB
	uLongf len = FILE_LIMIT;
	int rc = buf_reserve(out, FILE_LIMIT);

	if (rc)
		return rc;
	if (uncompress(out->data, &len, packed.data, (uLong)packed.len) != Z_OK)
		return fail(E_INVALID, "does not inflate");
	out->len = len;
	return 0;
#else
	(void)packed;
	(void)out;
	return fail(E_UNSUPPORTED, "zlib was not found when configuring");
#endif
}

static int load(const char *path, struct vector *v)
{
	int rc = sys_read_file(AT_FDCWD, path, FILE_LIMIT, &v->bytes);
	struct view rest = view_buf(&v->bytes);

	while (!rc) {
		const uint8_t *end = rest.len ? memchr(rest.data, '\n', rest.len) : NULL;
		if (!end)
			return fail(E_INVALID, "no empty line");
		struct view line = view_of(rest.data, (size_t)(end - rest.data));
		rest = view_of(end + 1, rest.len - line.len - 1);
		if (line.len == 0)
			break;
		rc = note_line(v, line);
	}
	if (!rc)
		rc = v->compressed ? inflate_file(rest, &v->file)
				   : buf_add(&v->file, rest.data, rest.len);
	return rc;
}

/* What became of a file. */
struct outcome {
	int rc;
	bool in_payload;
	struct sha256 out; /* of the plaintext handed out */
};

static int hash_plain(void *ctx, struct view bytes)
{
	sha256_add(ctx, bytes.data, bytes.len);
	return 0;
}

static void decrypt_in_steps(const struct vector *v, size_t step, struct outcome *ret_outcome)
{
	CLEANUP(age_decrypt_free) struct age_decrypt *d = NULL;
	struct view rest = view_buf(&v->file);

	sha256_init(&ret_outcome->out);
	int rc = age_decrypt_new(v->identity, v->identity_count, hash_plain, &ret_outcome->out, &d);
	while (rest.len && !rc) {
		size_t n = rest.len < step ? rest.len : step;
		rc = age_decrypt_add(d, view_of(rest.data, n));
		rest = view_of(rest.data + n, rest.len - n);
	}
	if (!rc)
		rc = age_decrypt_end(d);
	ret_outcome->rc = rc;
	ret_outcome->in_payload = d && age_decrypt_in_payload(d);
}

static int read_file(void *ctx, void *data, size_t len, uint64_t offset, size_t *ret_len)
{
	const struct vector *v = ctx;
	size_t at = offset < v->file.len ? (size_t)offset : v->file.len;
	size_t n = v->file.len - at < len ? v->file.len - at : len;

	memcpy(data, v->file.data + at, n);
	*ret_len = n;
	return 0;
}

/* By random access: a failure hands out nothing, since the last chunk is looked at first, or
 * verify() as a whole fails. */
static int verify_by_reader(struct vector *v, uint8_t ret_digest[SHA256_SIZE])
{
	struct age_source source = {read_file, v, v->file.len};
	int rc = fail(E_DENIED, "no identity");

	for (size_t i = 0; i < v->identity_count && rc == E_DENIED; i++) {
		CLEANUP(age_reader_free) struct age_reader *r = NULL;
		err_clear();
		rc = age_reader_open(&source, v->identity[i], &r);
		if (!rc)
			rc = age_reader_verify(r, ret_digest);
	}
	return rc;
}

static bool hash_is(const struct sha256 *h, const uint8_t wanted[SHA256_SIZE])
{
	uint8_t digest[SHA256_SIZE];

	sha256_now(h, digest);
	return memcmp(digest, wanted, sizeof digest) == 0;
}

/* The code and the place of the failure that a vector expects. */
static int check_expected(const struct vector *v, const struct outcome *o)
{
	static const struct {
		const char *expect;
		int rc;
		bool in_payload;
	} rows[] = {
	    {"success", 0, true},
	    {"no match", E_DENIED, false},
	    {"HMAC failure", E_INTEGRITY, false},
	    {"header failure", E_INVALID, false},
	    {"payload failure", E_INTEGRITY, true},
	};
	size_t i = 0;

	while (i < ARRAY_LEN(rows) && strcmp(rows[i].expect, v->expect) != 0)
		i++;
	if (i == ARRAY_LEN(rows))
		return fail(E_INVALID, "an expectation that is not known here: '%s'", v->expect);
	if (o->rc != rows[i].rc || o->in_payload != rows[i].in_payload)
		return fail(E_INVALID, "expected %s, got %d (%s) in the %s", v->expect, o->rc,
			    err_word(o->rc), o->in_payload ? "payload" : "header");
	if (v->has_payload && !hash_is(&o->out, v->payload))
		return fail(E_INVALID, "other plaintext than expected was handed out");
	if (!v->has_payload && sha256_count(&o->out))
		return fail(E_INVALID, "plaintext was handed out");
	return 0;
}

/* An X25519 vector: whole, in steps, and by random access. */
static int check_x25519(struct vector *v)
{
	static const size_t steps[] = {SIZE_MAX, 65536, 1000, 1};
	uint8_t digest[SHA256_SIZE];
	struct outcome o = {0};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(steps) && !rc; i++) {
		decrypt_in_steps(v, steps[i], &o);
		err_clear();
		rc = check_expected(v, &o);
	}
	if (rc)
		return rc;
	int by_reader = verify_by_reader(v, digest);
	err_clear();
	if (by_reader != o.rc)
		return fail(E_INVALID, "in sequence %d, by random access %d", o.rc, by_reader);
	if (!by_reader && memcmp(digest, v->payload, sizeof digest) != 0)
		return fail(E_INVALID, "other plaintext by random access");
	return 0;
}

/* Kinds that are not read here. Armor is refused from its first bytes on; a header for other
 * kinds of recipients is for nobody we know, or malformed. */
static int check_refused(struct vector *v)
{
	struct outcome o = {0};

	if (v->identity_count == 0) {
		int rc = age_identity_new(&v->identity[v->identity_count++]);
		if (rc)
			return rc;
	}
	decrypt_in_steps(v, 1000, &o);
	err_clear();
	if (o.rc != E_INVALID && (v->armored || o.rc != E_DENIED))
		return fail(E_INVALID, "a refusal was due, got %d", o.rc);
	return sha256_count(&o.out) ? fail(E_INVALID, "plaintext was handed out") : 0;
}

/* Of the vector in v: what kind of test it is, and whether it passes. */
static int check(struct vector *v, const char *path, const char **ret_kind, const char **ret_skip)
{
	int rc = load(path, v);

#ifndef HAVE_ZLIB
	if (rc == E_UNSUPPORTED && v->compressed) {
		*ret_skip = "deflated, and zlib was not found when configuring";
		return 0;
	}
#else
	(void)ret_skip;
#endif
	if (rc)
		return fail(rc, "read the vector");
	bool foreign = v->armored || v->identity_count == 0;
	*ret_kind = foreign ? "refused" : v->expect;
	return foreign ? check_refused(v) : check_x25519(v);
}

static int run_one(const char *dir, const char *name, int number)
{
	CLEANUP(vector_done) struct vector v = {0};
	CLEANUP(mem_free) char *path = mem_printf("%s/%s", dir, name);
	const char *skip = NULL, *kind = "";
	int rc = check(&v, path, &kind, &skip);

	printf("%sok %d - %s: %s%s%s\n", rc ? "not " : "", number, name, kind,
	       skip ? " # SKIP " : "", skip ? skip : "");
	if (rc)
		printf("# %s\n", err_text());
	err_clear();
	return rc;
}

static int no_dots(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int run(const char *dir)
{
	struct dirent **entry = NULL;
	int count = scandir(dir, &entry, no_dots, alphasort), failed = 0;

	if (count <= 0) {
		printf("Bail out! no vectors in AGE_VECTORS (%s)\n", dir);
		return 1;
	}
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		failed |= run_one(dir, entry[i]->d_name, i + 1) != 0;
		free(entry[i]);
	}
	free(entry);
	return failed;
}

int main(void)
{
	const char *dir = getenv("AGE_VECTORS");

	if (!dir || !*dir) {
		printf("1..0 # SKIP AGE_VECTORS does not name the folder of the published age "
		       "vectors\n");
		return 0;
	}
	if (secret_setup()) {
		printf("Bail out! %s\n", err_text());
		return 1;
	}
	return run(dir);
}
