/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/sealed_blob.h"

#include <stdlib.h>

#include "age/header.h"
#include "base/mem.h"
#include "base/text.h"
#include "wire/codec.h"

static const char resume_purpose[] = "dropkeep resume state v1";

/* Our own headers have two or three stanzas of some 100 bytes each. */
enum { HEAD_MAX = 4096 };

void sealed_blob_done(struct sealed_blob *b)
{
	sys_close(&b->fd);
	secret_free(&b->file_key);
	wipe(b->key, sizeof b->key);
}

/* Payload key and pin of (file key, nonce); takes nothing. */
static int derive(struct sealed_blob *b, const struct secret *file_key,
		  const uint8_t nonce[AGE_NONCE])
{
	CLEANUP(secret_free) struct secret *key = NULL;
	int rc = age_payload_key(file_key, nonce, &key);

	if (!rc)
		rc = age_stream_pin(file_key, nonce, b->pin);
	if (!rc)
		memcpy(b->key, secret_view(key).data, sizeof b->key);
	return rc;
}

int sealed_blob_keys(const struct secret *file_key, const uint8_t nonce[AGE_NONCE],
		     struct sealed_blob *ret_blob)
{
	CLEANUP(sealed_blob_done) struct sealed_blob b = SEALED_BLOB_NONE;
	struct view key = secret_view(file_key);
	int rc = derive(&b, file_key, nonce);

	if (!rc)
		rc = secret_copy(key.data, key.len, &b.file_key);
	if (rc)
		return rc;
	*ret_blob = b;
	b = SEALED_BLOB_NONE;
	return 0;
}

int sealed_blob_make(const struct blobs *store, const uint8_t id[BLOB_ID],
		     const struct secret *file_key, const uint8_t nonce[AGE_NONCE],
		     const struct age_recipient *recipients, size_t count,
		     struct sealed_blob *ret_blob)
{
	CLEANUP(buf_done) struct buf head = {0};
	CLEANUP(sealed_blob_done) struct sealed_blob b = SEALED_BLOB_NONE;
	int rc = age_header_write(file_key, recipients, count, &head);

	if (!rc)
		rc = buf_add(&head, nonce, AGE_NONCE);
	if (!rc)
		rc = sealed_blob_keys(file_key, nonce, &b);
	if (!rc)
		rc = blobs_make(store, id, view_buf(&head), &b.fd);
	if (rc)
		return rc;
	b.payload = head.len;
	*ret_blob = b;
	b = SEALED_BLOB_NONE;
	return 0;
}

static int read_head(struct sealed_blob *b, const struct secret *identity)
{
	CLEANUP(mem_free) struct age_header *header = mem_new(sizeof *header);
	uint8_t head[HEAD_MAX];
	size_t len = 0;
	int rc = sys_pread_some(b->fd, head, sizeof head, 0, &len);

	if (!rc)
		rc = age_header_parse(view_of(head, len), header);
	if (rc == E_AGAIN || (!rc && len - header->len < AGE_NONCE))
		rc = fail(E_INTEGRITY, "a blob whose header does not end");
	if (!rc)
		rc = age_header_unwrap(header, identity, &b->file_key);
	if (!rc)
		rc = derive(b, b->file_key, head + header->len);
	if (!rc)
		b->payload = header->len + AGE_NONCE;
	return rc;
}

/* A blob that is named and not there, or not for us, is damage, not absence. */
static int damage(int rc)
{
	if (rc == E_GONE || rc == E_DENIED || rc == E_INVALID)
		return fail(E_INTEGRITY, "a blob is missing or damaged");
	return rc;
}

int sealed_blob_open(const struct blobs *store, const uint8_t id[BLOB_ID], bool writable,
		     const struct secret *identity, const uint8_t pin[AGE_PIN],
		     struct sealed_blob *ret_blob)
{
	int fd = -1;
	int rc = writable ? blobs_write(store, id, &fd) : blobs_read(store, id, &fd);

	return rc ? damage(rc) : sealed_blob_adopt(&fd, identity, pin, ret_blob);
}

int sealed_blob_adopt(int *fd, const struct secret *identity, const uint8_t pin[AGE_PIN],
		      struct sealed_blob *ret_blob)
{
	CLEANUP(sealed_blob_done) struct sealed_blob b = SEALED_BLOB_NONE;
	b.fd = TAKE_FD(*fd);
	int rc = read_head(&b, identity);

	if (!rc && !equal_secret(b.pin, pin, sizeof b.pin))
		rc = fail(E_INTEGRITY, "a blob that is not the one that the catalog means");
	if (rc)
		return damage(rc);
	*ret_blob = b;
	b = SEALED_BLOB_NONE;
	return 0;
}

int resume_save(const struct blobs *store, const struct keys *k, const uint8_t id[BLOB_ID],
		const struct secret *file_key, const struct resume_state *s)
{
	CLEANUP(secret_free) struct secret *key = NULL;
	CLEANUP(buf_wipe) struct buf plain = {0};
	CLEANUP(buf_done) struct buf sealed = {0};
	size_t size = 8 + 4 + s->digest.len + 4 + s->tail.len;
	int rc = age_resume_key(file_key, &key);

	if (!rc)
		rc = buf_reserve(&plain, size);
	if (rc)
		return rc;
	struct writer w = writer_of(plain.data, size);
	write_u64(&w, s->sealed);
	write_bytes(&w, s->digest);
	write_bytes(&w, s->tail);
	plain.len = w.len;
	rc = keys_seal(k, key, resume_purpose, view_of(id, BLOB_ID), view_buf(&plain), &sealed);
	return rc ? rc : blobs_save_state(store, id, view_buf(&sealed));
}

int resume_load(const struct blobs *store, const struct keys *k, const uint8_t id[BLOB_ID],
		const struct secret *file_key, struct secret **ret_plain,
		struct resume_state *ret_state)
{
	CLEANUP(secret_free) struct secret *key = NULL;
	CLEANUP(secret_free) struct secret *plain = NULL;
	CLEANUP(buf_done) struct buf sealed = {0};
	int rc = age_resume_key(file_key, &key);

	if (!rc)
		rc = blobs_load_state(store, id, &sealed);
	if (!rc)
		rc = keys_open(k, key, resume_purpose, view_of(id, BLOB_ID), view_buf(&sealed),
			       &plain);
	if (rc == E_INTEGRITY) {
		char name[2 * BLOB_ID + 1];
		hex_encode(id, BLOB_ID, name);
		rc = fail(rc, "uploads/%s is damaged", name);
	}
	if (rc)
		return rc;
	struct reader r = reader_of(secret_view(plain));
	struct resume_state s = {.sealed = read_u64(&r)};
	s.digest = read_bytes(&r);
	s.tail = read_bytes(&r);
	if (!reader_end(&r) || s.digest.len != SHA256_STATE_SIZE || s.tail.len > AGE_CHUNK)
		return fail(E_INTEGRITY, "an upload's resume state is malformed");
	*ret_state = s;
	*ret_plain = TAKE(plain);
	return 0;
}
