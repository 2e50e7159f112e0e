/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: one event of the audit log as one line of JSON. Layout: doc/FORMAT.audit.md.
 *
 * Path and content hash appear only as salted commitments and sealed under the key of the
 * object that they belong to: who destroys that key erases them, and the tree stays whole.
 */
#ifndef DROPKEEP_KEEP_RECORD_H
#define DROPKEEP_KEEP_RECORD_H

#include <jansson.h>

#include "daemon/keep/keys.h"
#include "daemon/keep/session.h"
#include "wire/messages.h"

enum { RECORD_SCHEMA = 1, RECORD_SALT = 32 };

/* Zero, NULL and empty mean "does not apply", but for the sizes: see EVENT. */
struct event {
	const char *name; /* "upload.complete" */
	int code;         /* 0, or the code of base/err.h that it was refused or failed with */
	const char *reason;
	const struct session *session; /* else: */
	const char *actor;             /* "system", or "operator:UID" */
	uint64_t zone;
	const char *zone_name;
	const uint8_t *object; /* ID_SIZE bytes */
	struct view path;      /* in clear; kept only with an object key */
	struct view new_path;  /* of a rename */
	struct view hash;
	uint64_t size, bytes;
	int64_t duration_us;
	bool resumed;
	struct view ranges; /* pairs of uint64, as FIELDS_ask_get_close says */
	bool detailed;      /* there must be a */
	json_t *detail;     /* of administrative acts; audit_add() takes it */
};

/* What an event has beyond the usual. NULL is what jansson gives where it could not make it: then
 * there will be no record, and no act. */
static inline void event_detail(struct event *e, json_t *detail)
{
	e->detailed = true;
	e->detail = detail;
}

#define EVENT(...)       \
	((struct event){ \
	    .size = SIZE_UNKNOWN, .bytes = SIZE_UNKNOWN, .duration_us = -1, __VA_ARGS__})

struct record_frame {
	uint64_t seq;
	int64_t time_us;
	const char *node; /* this host */
	const struct keys *keys;
	const struct secret *object_key; /* NULL: path and hash are left out */
};

/* The line without its newline, appended to out. All of it or nothing: a member that cannot be
 * written is an error. */
MUST_USE int record_write(const struct record_frame *f, const struct event *e, struct buf *out);

/* What is sealed in one member: salt, then value, as they stand behind its commitment. E_GONE where
 * the record has no such member; else as record_open(). */
MUST_USE int record_open_member(const json_t *record, const char *name, const struct keys *k,
				const struct secret *object_key, struct secret **ret_plain);

/* Replace the sealed members of a parsed record by what they hold ("path": "/acme/…"), with
 * the object's key; what does not open or match its commitment is E_INTEGRITY. */
MUST_USE int record_open(json_t *record, const struct keys *k, const struct secret *object_key);

#endif
