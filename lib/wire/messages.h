/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages: the bodies of all asks, answers and orders, declared once.
 *
 * FIELDS_x lists the fields of struct x in wire order; the same list makes the struct,
 * x_write() and x_read(). Kinds:
 *
 *	u8 u16 u32 u64   unsigned, big-endian
 *	i64              two's complement
 *	bytes            struct view: uint32 length and content; borrowed from the packet
 *	id               16 bytes, an object's random id
 *	hash             32 bytes
 *	key              32 bytes that must be wiped after use
 */
#ifndef DROPKEEP_MESSAGES_H
#define DROPKEEP_MESSAGES_H

#include "wire/codec.h"

enum { WIRE_ID = 16, WIRE_HASH = 32 };

/* A size that nobody declared; a time that nobody set. */
#define SIZE_UNKNOWN UINT64_MAX
#define TIME_UNKNOWN INT64_MIN

/* Settings of a gate. host_keys: each key as bytes (OpenSSH PEM). Descriptors: the
 * listening SFTP sockets, `listeners` of them, then `https_listeners` for HTTPS. Empty algorithm
 * lists mean libssh's own defaults less what gate/ssh_policy.c strikes out. strangers: HTTPS
 * connections of which the keep knows nothing yet, from one address at once; 0: any. certificate
 * and private_key: PEM, empty where HTTPS is not served. ticket_key: what all gates of one run
 * protect TLS session tickets with (TICKET_KEY bytes, in the order of
 * SSL_CTX_set_tlsext_ticket_keys()). */
enum { TICKET_KEY = 80 };
#define FIELDS_gate_settings(F)       \
	F(u16, listeners)             \
	F(u16, https_listeners)       \
	F(u32, login_grace_ms)        \
	F(u32, auth_tries)            \
	F(u32, idle_ms)               \
	F(u32, handles_per_session)   \
	F(u32, sessions)              \
	F(u8, log_level)              \
	F(bytes, banner)              \
	F(bytes, kex)                 \
	F(bytes, host_key_algorithms) \
	F(bytes, ciphers)             \
	F(bytes, macs)                \
	F(bytes, key_algorithms)      \
	F(bytes, host_keys)           \
	F(u32, https_idle_ms)         \
	F(u32, strangers)             \
	F(bytes, certificate)         \
	F(bytes, private_key)         \
	F(bytes, ticket_key)

#define FIELDS_ask_hello(F)    F(u32, version)
#define FIELDS_answer_hello(F) FIELDS_gate_settings(F)

#define FIELDS_ask_session_open(F) /* protocol: "sftp", "https" */ \
	F(bytes, protocol)                                         \
	F(bytes, peer)                                             \
	F(u16, peer_port)
#define FIELDS_answer_session_open(F) F(u64, session)

/* step: is the key acceptable at all, or has its owner signed (and the gate verified)? Of HTTPS:
 * the peer's TLS certificate, whose key's owner has signed the handshake; a bearer token.
 *   AUTH_QUERY, AUTH_SIGNED  user, and the public key blob of RFC 4253, section 6.6
 *   AUTH_CERTIFICATE         SHA-256 of the certificate's SubjectPublicKeyInfo (RFC 5280); no user
 *   AUTH_TOKEN               the token as it was presented (RFC 6750); no user */
enum auth_step { AUTH_QUERY = 1, AUTH_SIGNED = 2, AUTH_CERTIFICATE = 3, AUTH_TOKEN = 4 };
#define FIELDS_ask_auth(F) \
	F(u8, step)        \
	F(bytes, user)     \
	F(bytes, key)      \
	F(bytes, client)   \
	F(bytes, cipher)
/* expires_us: until when it is good, microseconds since 1970; 0: for ever. */
#define FIELDS_answer_auth(F) /* all empty after AUTH_QUERY */ \
	F(bytes, home)                                         \
	F(bytes, name)                                         \
	F(i64, expires_us)

/* What the gate refused by itself, for the log: a shell request, an unknown subsystem, … */
#define FIELDS_ask_session_note(F) \
	F(u8, refused)             \
	F(bytes, text)
#define FIELDS_answer_session_note(F)

#define FIELDS_ask_session_close(F) \
	F(u64, bytes_in)            \
	F(u64, bytes_out)           \
	F(bytes, reason)
#define FIELDS_answer_session_close(F)

/* A user takes up the code that an operator made for them (`user enroll`): the TLS certificate of
 * this connection becomes a credential. Once for each code. spki: as of AUTH_CERTIFICATE. key: the
 * log's verifier key, whose name is the log's origin. */
#define FIELDS_ask_enroll(F) \
	F(bytes, code)       \
	F(hash, spki)        \
	F(bytes, client)
#define FIELDS_answer_enroll(F) \
	F(bytes, name)          \
	F(bytes, home)          \
	F(bytes, key)

/* Paths are absolute (/ZONE/dir/name), without empty, "." or ".." components: the gate
 * has normalized them, the keep checks. */
enum node_kind { NODE_DIR = 1, NODE_FILE = 2, NODE_PARTIAL = 3 };
enum {
	RIGHT_LIST = 1,
	RIGHT_READ = 2,
	RIGHT_WRITE = 4,
	RIGHT_OVERWRITE = 8,
	RIGHT_DELETE = 16,
	RIGHT_MANAGE = 32,
	RIGHT_AUDIT = 64,
	RIGHTS_ALL = 127
};
#define FIELDS_attrs(F)                                                         \
	F(u8, kind)                                                             \
	F(u8, rights) /* what the asker may do here, own uploads included */    \
	F(u64, size)                                                            \
	F(i64, mtime_s)                                                         \
	F(u32, owner) /* number of the principal that made it; 0: the system */ \
	F(bytes, owner_name)                                                    \
	F(bytes, sha256) /* of a finished file that the asker may read, or has sent; else empty */

#define FIELDS_ask_stat(F)    F(bytes, path)
#define FIELDS_answer_stat(F) FIELDS_attrs(F)

/* Pages of a folder: cursor 0 begins, then what the last page said. entries: struct entry
 * after struct entry, to be read until the end. hashes: whether sha256 is wanted. */
#define FIELDS_entry(F) \
	F(bytes, name)  \
	FIELDS_attrs(F)
#define FIELDS_ask_list(F) \
	F(bytes, path)     \
	F(u64, cursor)     \
	F(u8, hashes)
#define FIELDS_answer_list(F) \
	F(u8, end)            \
	F(u64, cursor)        \
	F(bytes, entries)

#define FIELDS_ask_make_dir(F) F(bytes, path)
#define FIELDS_answer_make_dir(F)
#define FIELDS_ask_remove_dir(F) F(bytes, path)
#define FIELDS_answer_remove_dir(F)
#define FIELDS_ask_remove(F) F(bytes, path)
#define FIELDS_answer_remove(F)

/* replace: an existing file at the target may give way (posix-rename). */
#define FIELDS_ask_rename(F) \
	F(bytes, from)       \
	F(bytes, to)         \
	F(u8, replace)
#define FIELDS_answer_rename(F)

/* mtime_s TIME_UNKNOWN and size SIZE_UNKNOWN: as they are. Sizes of finished files change
 * through an upload only: another size than the file has is E_UNSUPPORTED. */
#define FIELDS_ask_set_attrs(F) \
	F(bytes, path)          \
	F(i64, mtime_s)         \
	F(u64, size)
#define FIELDS_answer_set_attrs(F)

#define FIELDS_ask_space(F) F(bytes, path)
#define FIELDS_answer_space(F)                                         \
	F(u64, total) /* the quota, or the disk where there is none */ \
	F(u64, free)                                                   \
	F(u64, files)

/*
 * An upload. PUT_OPEN gives the gate a sealing lease: the payload key, under which it seals each
 * chunk exactly once, and the blob's descriptor (first). A bare lease comes without it: there is
 * no blob as long as one chunk may be all (PUT_STORE, PUT_FINISH).
 *
 * What stands already:
 *   sealed   chunks 0 … sealed-1 are in the blob (a clean resume), digest has the running SHA-256
 *            state of these chunks alone (base/sha256.h; empty for none)
 *   prefix   otherwise: so many plaintext bytes must first be re-sealed from the second
 *            descriptor, a blob of source_size plaintext bytes under source_key, its payload at
 *            source_offset. source_finished 0: all its chunks are sealed as not the last.
 *   tail     at most 64 KiB of plaintext behind the sealed chunks, or behind a prefix of whole
 *            chunks, which may still be overwritten
 *   size     how long the upload is as the client sees it: sealed chunks or prefix, and tail
 *   granted  up to this plaintext size the quota is reserved; ask PUT_EXTEND before more
 *   ticket   the upload's name from its beginning to its end, whatever blobs it goes through
 *   declared how long it will be, by whoever has declared it; SIZE_UNKNOWN: nobody
 *
 * What may be asked of the opening: PUT_EXISTING: there must be a finished version; match: that
 * one's hash is among these (WIRE_HASH bytes each; empty: any); ticket: only this upload of the
 * asker is gone on with, and none begins (WIRE_ID bytes; empty: whatever stands at the path).
 * E_CONFLICT where one of the first two does not hold, E_GONE for another ticket.
 */
enum { PUT_CREATE = 1, PUT_EXCLUSIVE = 2, PUT_TRUNCATE = 4, PUT_EXISTING = 8 };
#define FIELDS_lease(F)                                                              \
	F(u64, put)                                                                  \
	F(u8, bare)                                                                  \
	F(u64, blob_offset) /* where the payload's first chunk stands in the blob */ \
	F(key, payload_key)                                                          \
	F(u64, size)                                                                 \
	F(u64, granted)                                                              \
	F(u64, sealed)                                                               \
	F(bytes, digest)                                                             \
	F(bytes, tail)                                                               \
	F(u64, prefix)                                                               \
	F(u8, source_finished)                                                       \
	F(u64, source_size)                                                          \
	F(u64, source_offset)                                                        \
	F(key, source_key)                                                           \
	F(id, ticket)                                                                \
	F(u64, declared)
#define FIELDS_ask_put_open(F) \
	F(bytes, path)         \
	F(u8, flags)           \
	F(u64, declared)       \
	F(bytes, match)        \
	F(bytes, ticket)
#define FIELDS_answer_put_open(F) FIELDS_lease(F)

/* durable: plaintext bytes at the start that are sealed and synced. wanted: the size to
 * reserve for, 0 for no more than there is. */
#define FIELDS_ask_put_extend(F) \
	F(u64, durable)          \
	F(u64, wanted)
#define FIELDS_answer_put_extend(F) F(u64, granted)

/* Other bytes came for a chunk that is sealed. The upload moves to a new blob under a fresh
 * key, whose prefix is what the gate says stands in the old one (whole chunks, synced).
 * The put keeps its number; the old blob's descriptor must be closed. */
#define FIELDS_ask_put_rekey(F)    F(u64, durable)
#define FIELDS_answer_put_rekey(F) FIELDS_lease(F)

/* The end of a lease without an end of the upload. clean: chunks 0 … sealed-1 are in the
 * blob and synced (durable is their size), no later one was ever sealed, digest and tail go with
 * them. Not clean: only `durable` bytes count and the next lease has another blob. The descriptor
 * is closed. stay: the upload is there also when nothing of it is. */
#define FIELDS_ask_put_suspend(F) \
	F(u8, clean)              \
	F(u8, stay)               \
	F(u64, durable)           \
	F(u64, sealed)            \
	F(bytes, digest)          \
	F(bytes, tail)            \
	F(i64, mtime_s)           \
	F(bytes, reason)
#define FIELDS_answer_put_suspend(F)

/* All chunks sealed, the last one with its flag; synced; the descriptor is closed. content: of
 * an upload that has no blob the one chunk, sealed; else empty. */
#define FIELDS_ask_put_finish(F) \
	F(u64, size)             \
	F(hash, sha256)          \
	F(i64, mtime_s)          \
	F(bytes, content)
#define FIELDS_answer_put_finish(F)                                                    \
	F(u64, record)  /* of upload.complete: its number in the log, the receipt's */ \
	F(u8, replaced) /* there was a version before */

/* The upload is void (a write or sync failed, its hash is not what was said, its sender has given
 * it up): nothing of it may be kept. code 0: its sender has given it up. */
#define FIELDS_ask_put_drop(F)                       \
	F(u8, code) /* minus a code of base/err.h */ \
	F(bytes, reason)
#define FIELDS_answer_put_drop(F)

/* An upload under a bare lease outgrows one chunk, or is to be left unfinished: its blob is made.
 * Asked once. The descriptor comes, key and number stay. */
#define FIELDS_ask_put_store(F)
#define FIELDS_answer_put_store(F) F(u64, blob_offset)

/*
 * One of the asker's own uploads, by its ticket (WIRE_ID bytes) or, where that is empty, by the
 * path at which it is in progress. Whoever has its lease is made to let go first, so offset is
 * exact. Of a finished one, as long as its version stands: record as in answer_put_finish, sha256,
 * and offset = declared = its size. expires_us: when it goes if nobody goes on with it,
 * microseconds since 1970; 0: never. E_GONE where there is none.
 */
#define FIELDS_ask_upload(F) \
	F(bytes, ticket)     \
	F(bytes, path)
#define FIELDS_answer_upload(F) \
	F(id, ticket)           \
	F(bytes, path)          \
	F(u64, offset)          \
	F(u64, declared)        \
	F(i64, expires_us)      \
	F(u8, finished)         \
	F(u64, record)          \
	F(bytes, sha256)

#define FIELDS_ask_get_open(F) F(bytes, path)
#define FIELDS_answer_get_open(F) \
	F(u64, get)               \
	F(u64, blob_offset)       \
	F(key, payload_key)       \
	FIELDS_attrs(F)

/* ranges: pairs of uint64 (first byte, byte behind the last), merged, at most
 * GET_RANGES_MAX of them; what does not fit is joined to its neighbour. code: minus a code
 * of base/err.h, 0 for a download that ended well. */
enum { GET_RANGES_MAX = 64 };
#define FIELDS_ask_get_close(F) \
	F(u64, bytes)           \
	F(bytes, ranges)        \
	F(u8, code)
#define FIELDS_answer_get_close(F)

/* Who the asker is and what they may do where: a JSON object (doc/PROTOCOL.https.md). */
#define FIELDS_ask_account(F)
#define FIELDS_answer_account(F) F(bytes, json)

/* The receipt of record's upload (doc/FORMAT.receipt.md), for who sent it or may read the log of
 * its zone; answered when the log's checkpoint covers it. E_GONE for all other records. */
#define FIELDS_ask_receipt(F)    F(u64, record)
#define FIELDS_answer_receipt(F) F(bytes, receipt)

/*
 * A part of the log as C2SP tlog-tiles tells it: a descriptor to be read from its beginning, and
 * its size. Of a checkpoint the other fields are 0, of entries the level is. index: among the tiles
 * of the level; width: hashes or records from the tile's first on, 1 to LOG_TILE_WIDTH.
 * Checkpoint and hash tiles are for all, entries for who may read the log of all zones. E_GONE
 * where the log has not so much, or not for the asker.
 */
enum log_kind { LOG_CHECKPOINT = 1, LOG_TILE = 2, LOG_ENTRIES = 3 };
enum { LOG_TILE_WIDTH = 256, LOG_LEVEL_MAX = 63 };
#define FIELDS_ask_log_file(F) \
	F(u8, kind)            \
	F(u8, level)           \
	F(u64, index)          \
	F(u16, width)
#define FIELDS_answer_log_file(F) F(u64, size)

/*
 * Records that the asker may read, as lines of JSON with what is sealed in them opened, in a
 * descriptor. Empty texts (of at most LOG_FILTER_MAX bytes) and TIME_UNKNOWN do not filter. from:
 * the first record's number; before: that of the first that is not looked at any more, 0: all that
 * are there; limit: at most so many, 1 to LOG_RECORDS_MAX. Where end is 0 the same question with
 * from = cursor and before goes on; a page may be empty then. E_GONE for who may read no log, or
 * not that of the zone.
 */
enum { LOG_FILTER_MAX = 64, LOG_RECORDS_MAX = 10000 };
#define FIELDS_ask_log_query(F) \
	F(i64, since_us)        \
	F(i64, until_us)        \
	F(bytes, zone)          \
	F(bytes, user)          \
	F(bytes, event)         \
	F(bytes, outcome)       \
	F(bytes, object)        \
	F(u64, from)            \
	F(u64, before)          \
	F(u32, limit)
#define FIELDS_answer_log_query(F) \
	F(u64, size)               \
	F(u8, end)                 \
	F(u64, cursor)             \
	F(u64, before)

#define FIELDS_order_configure(F)   FIELDS_gate_settings(F)
#define FIELDS_order_end_session(F) F(bytes, reason)
#define FIELDS_order_yield(F)
#define FIELDS_order_drain(F) F(u32, deadline_ms)

#define WIRE_DECLARE_u8(name)    uint8_t name;
#define WIRE_DECLARE_u16(name)   uint16_t name;
#define WIRE_DECLARE_u32(name)   uint32_t name;
#define WIRE_DECLARE_u64(name)   uint64_t name;
#define WIRE_DECLARE_i64(name)   int64_t name;
#define WIRE_DECLARE_bytes(name) struct view name;
#define WIRE_DECLARE_id(name)    uint8_t name[WIRE_ID];
#define WIRE_DECLARE_hash(name)  uint8_t name[WIRE_HASH];
#define WIRE_DECLARE_key(name)   uint8_t name[WIRE_HASH];
#define WIRE_DECLARE(kind, name) WIRE_DECLARE_##kind(name)

/* x_read: E_PROTOCOL for a missing or surplus byte. entry_next: one of several; false at
 * the end or when the rest is malformed (then r->bad). */
#define WIRE_MESSAGE(x)                                      \
	struct x {                                           \
		FIELDS_##x(WIRE_DECLARE)                     \
	};                                                   \
	void x##_write(struct writer *w, const struct x *m); \
	MUST_USE int x##_read(struct view body, struct x *ret_message);

#define WIRE_PAIR(name)          \
	WIRE_MESSAGE(ask_##name) \
	WIRE_MESSAGE(answer_##name)

#include "wire/verbs.h"

WIRE_MESSAGE(gate_settings)
WIRE_MESSAGE(attrs)
WIRE_MESSAGE(entry)
WIRE_MESSAGE(lease)
#define VERB(number, NAME, name, phase, fds) WIRE_PAIR(name)
WIRE_ASKS(VERB)
#undef VERB
#define ORDER(number, NAME, name) WIRE_MESSAGE(order_##name)
WIRE_ORDERS(ORDER)
#undef ORDER

bool entry_next(struct reader *r, struct entry *ret_entry);

#endif
