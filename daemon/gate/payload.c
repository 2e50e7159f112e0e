/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/payload.h"

#include "base/mem.h"
#include "base/sys.h"

/* No place of a chunk may overflow an off_t; a blob's header is small. */
enum { HEADER_MAX = 1 << 20 };

int payload_begin(struct view key, struct payload *ret_payload)
{
	struct payload p = PAYLOAD_NONE;
	int rc = age_stream_from_key(key, &p.stream);

	if (!rc)
		*ret_payload = p;
	return rc;
}

int payload_place(struct payload *p, int *fd, uint64_t offset)
{
	if (*fd < 0)
		return fail(E_PROTOCOL, "a blob came without its descriptor");
	if (offset > HEADER_MAX) {
		sys_close(fd);
		return fail(E_PROTOCOL, "a blob with a header of %llu bytes",
			    (unsigned long long)offset);
	}
	p->fd = TAKE_FD(*fd);
	p->offset = offset;
	return 0;
}

int payload_open(int *fd, uint64_t offset, struct view key, struct payload *ret_payload)
{
	struct payload p = PAYLOAD_NONE;
	int rc = payload_place(&p, fd, offset);

	if (!rc)
		rc = age_stream_from_key(key, &p.stream);
	if (rc) {
		sys_close(&p.fd);
		return rc;
	}
	*ret_payload = p;
	return 0;
}

void payload_close(struct payload *p)
{
	sys_close(&p->fd);
	age_stream_free(&p->stream);
}

static uint64_t place(const struct payload *p, uint64_t index)
{
	return p->offset + index * AGE_SEALED_CHUNK;
}

int payload_seal(const struct payload *p, uint64_t index, bool last, struct view plain,
		 uint8_t *scratch)
{
	return age_stream_seal(p->stream, index, last, plain, scratch);
}

int payload_store(const struct payload *p, uint64_t index, bool last, struct view plain,
		  uint8_t *scratch)
{
	int rc = payload_seal(p, index, last, plain, scratch);

	return rc ? rc : sys_pwrite_all(p->fd, scratch, plain.len + AGE_TAG, place(p, index));
}

int payload_fetch(const struct payload *p, uint64_t index, uint8_t *ret_memory, size_t *ret_len)
{
	bool last = p->finished && age_chunk_is_last(p->size, index);
	size_t len = last ? age_chunk_size(p->size, index) : AGE_CHUNK;
	int rc = sys_pread_all(p->fd, ret_memory, len + AGE_TAG, place(p, index));

	if (!rc)
		rc = age_stream_open(p->stream, index, last, view_of(ret_memory, len + AGE_TAG),
				     ret_memory);
	if (!rc)
		*ret_len = len;
	return rc;
}
