/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/sealed_blob.h"

#include <stdlib.h>

#include "age/header.h"
#include "base/mem.h"

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
