/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog: what the keep knows: principals, credentials, grants, zones, nodes, versions,
 * uploads, alerts, the outbox of the log. Transactions, and typed rows by number or exact key.
 *
 * This is the one door to the database: SQLite (WAL, synchronous=FULL, secure_delete) stands
 * behind it and nobody else may know. Owned by the keep's loop thread; pool work that needs
 * to read opens its own read-only catalog. A change is durable when catalog_commit() has
 * returned 0; if it fails the process must end without an answer. Names come and go sealed;
 * policy lives elsewhere (access.h, tree.h).
 *
 * Lookups give E_GONE without an error frame when there is no such row; so do changes and
 * removals of a row by its number. Rows are plain structs filled by value; `bytes` members are
 * small and fixed where possible.
 *
 * Errors: E_EXISTS (a unique value is taken), E_INTEGRITY (a damaged file, or rows that would
 * contradict each other; a page that is not as the keep wrote it), E_INVALID (numbers from 2^63 on,
 * texts and bytes that do not fit), E_FULL, E_NOMEM, E_AGAIN (another connection is in the way),
 * E_IO. After some of them SQLite has undone the whole transaction: then every call but
 * catalog_rollback() fails, and so does the commit.
 *
 * Nobody else may open catalog.db in a process that has a catalog open, for closing it again
 * would drop SQLite's locks (POSIX record locks belong to the process).
 * Numbers are never used twice. Layout: doc/FORMAT.catalog.md.
 */
#ifndef DROPKEEP_KEEP_CATALOG_H
#define DROPKEEP_KEEP_CATALOG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "daemon/keep/networks.h"

struct catalog;

enum {
	NAME_BYTES_MAX = 255,                  /* a node's name */
	SEALED_NAME_MAX = NAME_BYTES_MAX + 16, /* with its SIV */
	ACCOUNT_MAX = 63,                      /* names of users and zones */
	ID_SIZE = 16,
};

/* ---- the database ---- */

/* Open DIR/catalog.db, making it when create is set (and refusing one that is there);
 * migrates an older schema in one transaction, refuses a newer one and what is no catalog
 * (E_CONFIG). E_GONE, E_EXISTS; E_INTEGRITY also where its write-ahead log has lost changes.
 * The file has mode 0600. key (keys_catalog()) authenticates each page of it. */
MUST_USE int catalog_open(const char *state_dir, const struct secret *key, bool create,
			  struct catalog **ret_catalog);

/* A second connection, read-only, for one pool job. Its catalog_begin() fixes what it sees
 * until its commit or rollback. */
MUST_USE int catalog_open_reader(const char *state_dir, const struct secret *key,
				 struct catalog **ret_catalog);
void catalog_close(struct catalog **c);

MUST_USE int catalog_begin(struct catalog *c);
MUST_USE int catalog_commit(struct catalog *c);
void catalog_rollback(struct catalog *c);
MUST_USE int catalog_savepoint(struct catalog *c); /* one level */
MUST_USE int catalog_release(struct catalog *c);
MUST_USE int catalog_rollback_to(struct catalog *c); /* undoes and releases it */

/* After the commit of anything that must not be read again (a zone's or an object's key):
 * moves all of the write-ahead log into the database and cuts it to nothing. Outside
 * transactions. E_AGAIN while a reader is at work: ask again. */
MUST_USE int catalog_scrub(struct catalog *c);

/* Small named values: E_GONE when unset. */
MUST_USE int catalog_meta_get(struct catalog *c, const char *key, struct buf *out);
MUST_USE int catalog_meta_set(struct catalog *c, const char *key, struct view value);
MUST_USE int catalog_meta_get_u64(struct catalog *c, const char *key, uint64_t *ret_value);
MUST_USE int catalog_meta_set_u64(struct catalog *c, const char *key, uint64_t value);

/* Every page of the file and every frame of the log, SQLite's integrity check, then whether rows
 * agree with each other (references, counters); problems as lines of text into out. Of a catalog
 * that somebody writes to, use a reader in a transaction. E_INTEGRITY when the damage lets it go no
 * further. */
MUST_USE int catalog_check(struct catalog *c, struct buf *out);

/* ---- principals, credentials, grants ---- */

enum role { ROLE_CLIENT = 1, ROLE_STAFF = 2, ROLE_AUDITOR = 3 };

struct principal_row {
	uint64_t id;
	char name[ACCOUNT_MAX + 1];
	enum role role;
	bool disabled;
	int64_t made_us;
};
MUST_USE int catalog_principal_add(struct catalog *c,
				   struct principal_row *row); /* sets id; E_EXISTS */
MUST_USE int catalog_principal_by_name(struct catalog *c, const char *name,
				       struct principal_row *ret);
MUST_USE int catalog_principal_by_id(struct catalog *c, uint64_t id, struct principal_row *ret);
MUST_USE int catalog_principal_set_disabled(struct catalog *c, uint64_t id, bool disabled);
/* Its credentials and grants go with it; nodes keep its number as their owner. */
MUST_USE int catalog_principal_remove(struct catalog *c, uint64_t id);

enum credential_kind { CREDENTIAL_SSH_KEY = 1, CREDENTIAL_CERTIFICATE = 2, CREDENTIAL_TOKEN = 3 };
struct credential_row {
	uint64_t id, principal;
	enum credential_kind kind;
	char fingerprint[64]; /* "SHA256:" and base64 without padding */
	char algorithm[48];   /* "ssh-ed25519" */
	char comment[128];
	int64_t made_us, expires_us;  /* 0: never */
	char networks[NETWORKS_TEXT]; /* where it may be used from, as networks.h has it */
};
MUST_USE int catalog_credential_add(struct catalog *c, struct credential_row *row); /* E_EXISTS */
MUST_USE int catalog_credential_find(struct catalog *c, uint64_t principal,
				     enum credential_kind kind, const char *fingerprint,
				     struct credential_row *ret);
/* Of certificates and tokens, which come without a user's name. */
MUST_USE int catalog_credential_by_fingerprint(struct catalog *c, enum credential_kind kind,
					       const char *fingerprint, struct credential_row *ret);
MUST_USE int catalog_credential_by_id(struct catalog *c, uint64_t id, struct credential_row *ret);
MUST_USE int catalog_credential_remove(struct catalog *c, uint64_t id);

/* One-time codes by which users add a certificate of theirs; a new one takes the place of the
 * user's older ones. Taking one that has expired is E_GONE, too. */
enum { ENROLMENT_HASH = 32 };
struct enrolment_row {
	uint8_t code_hash[ENROLMENT_HASH];
	uint64_t principal;
	int64_t made_us, expires_us;
	char networks[NETWORKS_TEXT]; /* of the code, and of the credential that it makes */
};
MUST_USE int catalog_enrolment_add(struct catalog *c, const struct enrolment_row *row);
MUST_USE int catalog_enrolment_take(struct catalog *c, const uint8_t hash[ENROLMENT_HASH],
				    int64_t now_us, struct enrolment_row *ret);

struct grant_row {
	uint64_t id, principal;
	uint64_t zone;               /* 0: all zones, those to come included */
	uint8_t sealed_prefix[1024]; /* of the path below the zone; sealed, see grants.h */
	size_t sealed_len;
	uint8_t rights;
};
MUST_USE int catalog_grant_add(
    struct catalog *c,
    struct grant_row *row); /* replaces rights of the same (principal, zone, prefix) */
MUST_USE int catalog_grant_remove(struct catalog *c, uint64_t id);

/* ---- zones ---- */

struct zone_row {
	uint64_t id;
	char name[ACCOUNT_MAX + 1];
	uint8_t wrapped[256];
	size_t wrapped_len;
	uint64_t root;           /* its node */
	uint64_t quota_bytes;    /* 0: none */
	uint64_t used_bytes;     /* published versions */
	uint64_t reserved_bytes; /* uploads in progress */
	uint64_t files;
	int64_t retention_s; /* 0: for ever */
	bool recovery;       /* blobs are readable by the recovery identity too */
	int64_t made_us;
};
MUST_USE int
catalog_zone_add(struct catalog *c,
		 struct zone_row *row); /* sets id; wrapped may follow by catalog_zone_set */
MUST_USE int catalog_zone_set(struct catalog *c,
			      const struct zone_row *row); /* all but id, name, counters */
MUST_USE int catalog_zone_by_name(struct catalog *c, const char *name, struct zone_row *ret);
MUST_USE int catalog_zone_by_id(struct catalog *c, uint64_t id, struct zone_row *ret);
MUST_USE int catalog_zone_account(struct catalog *c, uint64_t zone, int64_t used, int64_t reserved,
				  int64_t files); /* deltas; never below 0: E_INTEGRITY */
/* Everything of the zone: nodes, versions, uploads, object keys, grants, its wrapped secret.
 * Blobs are put on the doomed list. catalog_scrub() after the commit. */
MUST_USE int catalog_zone_remove(struct catalog *c, uint64_t zone);

/* ---- nodes, versions, uploads ---- */

struct node_row {
	uint64_t id, zone, parent; /* parent 0: a zone's root */
	uint8_t kind;              /* NODE_DIR or NODE_FILE of wire/messages.h */
	uint8_t object[ID_SIZE];   /* its name in the audit log */
	uint64_t owner;            /* principal that made it, 0: the system */
	uint64_t version;          /* the published version, 0: none yet */
	uint64_t upload;           /* the upload in progress, 0: none */
	int64_t mtime_s, made_us;
	uint8_t name[SEALED_NAME_MAX];
	size_t name_len;
};
/* Sets id. With a sealed_key (len > 0) its row is made too, and row->object is the caller's, for
 * it is bound to the key (drawn here if all zero); else the object is drawn here. E_EXISTS */
MUST_USE int catalog_node_add(struct catalog *c, struct node_row *row, struct view sealed_key);
MUST_USE int catalog_node_by_id(struct catalog *c, uint64_t id, struct node_row *ret);
MUST_USE int catalog_node_child(struct catalog *c, uint64_t parent, struct view sealed_name,
				struct node_row *ret);
/* The children of parent with a number above `after`, in order of their numbers, up to max. */
MUST_USE int catalog_node_children(struct catalog *c, uint64_t parent, uint64_t after,
				   struct node_row *ret_rows, size_t max, size_t *ret_count);
MUST_USE int catalog_node_move(struct catalog *c, uint64_t id, uint64_t parent,
			       struct view sealed_name); /* E_EXISTS */
MUST_USE int catalog_node_set(struct catalog *c,
			      const struct node_row *row); /* owner, version, upload, mtime */
MUST_USE int catalog_node_remove(struct catalog *c, uint64_t id); /* the object's key row stays: the
	log needs it. E_NOT_EMPTY while children, versions or uploads refer to it */
MUST_USE int catalog_object_key(struct catalog *c, const uint8_t object[ID_SIZE],
				struct buf *ret_sealed);

struct version_row {
	uint64_t id, node;
	uint8_t blob[ID_SIZE];
	uint8_t pin[32]; /* age_stream_pin() of file key and nonce */
	bool tiny;       /* its content is in the catalog; else it has a blob */
	uint64_t size;
	uint8_t sealed_hash[64]; /* SHA-256 of the plaintext, sealed under the zone's data key */
	size_t sealed_hash_len;
	uint64_t uploader;
	int64_t mtime_s, made_us;
	bool has_ticket;         /* not those of earlier schemas */
	uint8_t ticket[ID_SIZE]; /* of its upload */
	uint64_t record;         /* number of its upload's record in the log */
};
/* The version that an upload has become. */
MUST_USE int catalog_version_by_ticket(struct catalog *c, const uint8_t ticket[ID_SIZE],
				       struct version_row *ret);
MUST_USE int catalog_version_add(struct catalog *c, struct version_row *row);
MUST_USE int catalog_version_by_id(struct catalog *c, uint64_t id, struct version_row *ret);
MUST_USE int catalog_version_set_mtime(struct catalog *c, uint64_t id, int64_t mtime_s);
MUST_USE int catalog_version_remove(struct catalog *c, uint64_t id);
/* In order of numbers above `after`: for checks. */
MUST_USE int catalog_version_next(struct catalog *c, uint64_t after, struct version_row *ret);

struct upload_row {
	uint64_t id, node, principal;
	uint8_t blob[ID_SIZE];
	uint8_t pin[32];
	bool clean;        /* uploads/ID holds the end of it */
	bool goes_on;      /* and the same file key may go on */
	uint64_t durable;  /* plaintext bytes that stand, whole chunks unless clean */
	uint64_t declared; /* SIZE_UNKNOWN: not declared */
	uint64_t reserved; /* counted in the zone */
	bool has_source;   /* the prefix below is re-sealed from this blob */
	uint8_t source_blob[ID_SIZE];
	uint8_t source_pin[32];
	bool source_finished; /* a published version; else what an earlier lease left */
	bool source_tiny;     /* as of a version */
	bool source_clean;    /* the end of the prefix is in uploads/SOURCE */
	uint64_t source_size, prefix;
	int64_t mtime_s, made_us, touched_us;
	uint8_t ticket[ID_SIZE]; /* its name for its uploader, whatever blobs it goes through */
	bool stays;              /* also while nothing of it is durable */
};
MUST_USE int catalog_upload_by_ticket(struct catalog *c, const uint8_t ticket[ID_SIZE],
				      struct upload_row *ret);
/* Sets id, and draws a ticket. */
MUST_USE int catalog_upload_add(struct catalog *c, struct upload_row *row);
MUST_USE int catalog_upload_by_id(struct catalog *c, uint64_t id, struct upload_row *ret);
MUST_USE int catalog_upload_set(struct catalog *c, const struct upload_row *row);
MUST_USE int catalog_upload_remove(struct catalog *c, uint64_t id);
MUST_USE int catalog_upload_next(struct catalog *c, uint64_t after, struct upload_row *ret);
/* Of the uploads that nothing was done with since before_us, from the longest untouched on, the
 * next behind that time and number. */
MUST_USE int catalog_upload_idle_after(struct catalog *c, int64_t touched_us, uint64_t id,
				       int64_t before_us, struct upload_row *ret);
/* None was touched later than that: what says so is set to it. */
MUST_USE int catalog_uploads_not_after(struct catalog *c, int64_t now_us);
/* No upload's file key goes on from here. How many would have. */
MUST_USE int catalog_uploads_end_run(struct catalog *c, uint64_t *ret_count);

/* Contents of one chunk, as whole age files of at most TINY_MAX bytes, by the id that their
 * version's blob would have. */
enum { TINY_MAX = 4096 + 16 + 65536 + 16 }; /* header, nonce, one sealed chunk */
MUST_USE int catalog_tiny_add(struct catalog *c, const uint8_t blob[ID_SIZE], struct view content);
MUST_USE int catalog_tiny_get(struct catalog *c, const uint8_t blob[ID_SIZE],
			      struct buf *out); /* appended */
MUST_USE int catalog_tiny_remove(struct catalog *c, const uint8_t blob[ID_SIZE]);

/* Blobs to unlink: the row is there before the deletion and outlives it. Adding one twice is
 * adding it once. */
MUST_USE int catalog_doomed_add(struct catalog *c, const uint8_t blob[ID_SIZE]);
MUST_USE int catalog_doomed_remove(struct catalog *c, const uint8_t blob[ID_SIZE]);
MUST_USE int catalog_doomed_next(struct catalog *c, uint8_t ret_blob[ID_SIZE]); /* any one */
/* In the order of their bytes, behind `after` (NULL: the first): to get past one that stays. */
MUST_USE int catalog_doomed_after(struct catalog *c, const uint8_t *after,
				  uint8_t ret_blob[ID_SIZE]);
/* Whether any row names the blob (version, upload, source or doomed). */
MUST_USE int catalog_blob_known(struct catalog *c, const uint8_t blob[ID_SIZE], bool *ret_known);
/* Whether an upload needs what uploads/BLOB holds. */
MUST_USE int catalog_state_known(struct catalog *c, const uint8_t blob[ID_SIZE], bool *ret_known);

/* ---- alerts: what waits for an operator's word (alerts.h) ---- */

struct alert_row {
	uint64_t id;
	char kind[32];
	int64_t raised_us;
	char text[256];
};
MUST_USE int
catalog_alert_add(struct catalog *c,
		  struct alert_row *row); /* sets id; E_EXISTS: one of its kind stands */
MUST_USE int catalog_alert_by_kind(struct catalog *c, const char *kind, struct alert_row *ret);
MUST_USE int catalog_alert_by_id(struct catalog *c, uint64_t id, struct alert_row *ret);
/* In order of numbers above `after`. */
MUST_USE int catalog_alert_next(struct catalog *c, uint64_t after, struct alert_row *ret);
MUST_USE int catalog_alert_remove(struct catalog *c, uint64_t id);

/* ---- the log's outbox ---- */

MUST_USE int catalog_outbox_add(struct catalog *c, uint64_t seq, struct view line);
MUST_USE int catalog_outbox_get(struct catalog *c, uint64_t seq, struct buf *out);
MUST_USE int catalog_outbox_clear(struct catalog *c, uint64_t below); /* rows with seq < below */

/* ---- walks for listings: each calls visit() per row until it gives non-zero, which is
 * returned. visit() may use the catalog, but not begin the same walk again. Principals and zones
 * come by name. ---- */

MUST_USE int catalog_each_principal(struct catalog *c,
				    int (*visit)(void *arg, const struct principal_row *),
				    void *arg);
MUST_USE int catalog_each_credential(struct catalog *c, uint64_t principal /* 0: all */,
				     int (*visit)(void *arg, const struct credential_row *),
				     void *arg);
MUST_USE int catalog_each_grant(struct catalog *c, uint64_t principal,
				int (*visit)(void *arg, const struct grant_row *), void *arg);
MUST_USE int catalog_each_zone(struct catalog *c, int (*visit)(void *arg, const struct zone_row *),
			       void *arg);

#endif
