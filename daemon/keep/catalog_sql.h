/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog_sql: every statement that the catalog ever runs, as QUERY(NAME, text) rows of
 * whoever includes it (no guard, on purpose). Nothing else reaches the database but the
 * pragmas and the schema; nothing here is ever put together from data.
 *
 * Parameters and columns are taken in their order by catalog_*.c. A statement marked
 * QUERY_WALK may look at all rows of a table; of every other one a test demands that an
 * index serves it.
 */

#define PRINCIPAL_COLUMNS "id, name, role, disabled, made_us"
#define CREDENTIAL_COLUMNS \
	"id, principal, kind, fingerprint, algorithm, comment, made_us, expires_us, networks"
#define ZONE_COLUMNS                                                                             \
	"id, name, wrapped, root, quota_bytes, used_bytes, reserved_bytes, files, retention_s, " \
	"recovery, made_us FROM zones LEFT JOIN zone_secrets ON zone = id"
#define NODE_COLUMNS \
	"id, zone, parent, kind, object, owner, version, upload, mtime_s, made_us, name"
#define VERSION_COLUMNS \
	"id, node, blob, pin, tiny, size, sealed_hash, uploader, mtime_s, made_us, ticket, record"
#define UPLOAD_COLUMNS                                                                      \
	"id, node, principal, blob, pin, clean, durable, declared, reserved, source_blob, " \
	"source_pin, source_finished, source_tiny, source_size, prefix, mtime_s, made_us, " \
	"touched_us, goes_on, source_clean, ticket, stays"
#define ALERT_COLUMNS "id, kind, raised_us, text"

/* ---- transactions ---- */

QUERY(BEGIN, "BEGIN IMMEDIATE")
QUERY(BEGIN_READ, "BEGIN")
QUERY(COMMIT, "COMMIT")
QUERY(ROLLBACK, "ROLLBACK")
QUERY(SAVEPOINT, "SAVEPOINT request")
QUERY(RELEASE, "RELEASE request")
QUERY(ROLLBACK_TO, "ROLLBACK TO request")
QUERY(GROUP_SAVEPOINT, "SAVEPOINT grouped")
QUERY(GROUP_RELEASE, "RELEASE grouped")
QUERY(GROUP_ROLLBACK_TO, "ROLLBACK TO grouped")

/* ---- meta ---- */

QUERY(META_GET, "SELECT value FROM meta WHERE key = ?1")
QUERY(META_SET, "INSERT INTO meta (key, value) VALUES (?1, ?2) "
		"ON CONFLICT (key) DO UPDATE SET value = excluded.value")

/* ---- checks ---- */

QUERY_WALK(CHECK_PAGES, "PRAGMA integrity_check")
QUERY_WALK(CHECK_REFERENCES,
	   "SELECT \"table\" || ' ' || coalesce(rowid, '') || ': refers to a row of ' || parent "
	   "|| ' that is not there' FROM pragma_foreign_key_check")
QUERY_WALK(CHECK_SECRETS, "SELECT 'zone ' || id || ': has no secret' FROM zones "
			  "WHERE id NOT IN (SELECT zone FROM zone_secrets)")
QUERY_WALK(CHECK_ROOTS, "SELECT 'zone ' || z.id || ': its root is not there' "
			"FROM zones z LEFT JOIN nodes n ON n.id = z.root "
			"WHERE n.id IS NULL OR n.zone <> z.id OR n.parent IS NOT NULL")
QUERY_WALK(CHECK_PARENTS,
	   "SELECT 'node ' || n.id || ': its folder is a file or in another zone' "
	   "FROM nodes n JOIN nodes p ON p.id = n.parent WHERE p.zone <> n.zone OR p.kind <> 1")
QUERY_WALK(CHECK_VERSIONS, "SELECT 'node ' || n.id || ': its version is not there' "
			   "FROM nodes n LEFT JOIN versions v ON v.id = n.version "
			   "WHERE n.version <> 0 AND (v.id IS NULL OR v.node <> n.id)")
QUERY_WALK(CHECK_TINY, "SELECT 'version ' || v.id || ': its content is not there' "
		       "FROM versions v LEFT JOIN tiny t ON t.blob = v.blob "
		       "WHERE v.tiny = 1 AND t.blob IS NULL")
QUERY_WALK(CHECK_TINY_SOURCES,
	   "SELECT 'upload ' || u.id || ': the content that it goes on from is not there' "
	   "FROM uploads u LEFT JOIN tiny t ON t.blob = u.source_blob "
	   "WHERE u.source_tiny = 1 AND t.blob IS NULL")
QUERY_WALK(CHECK_TINY_NAMED,
	   "SELECT 'content ' || lower(hex(blob)) || ': belongs to no file' FROM tiny t "
	   "WHERE NOT EXISTS (SELECT 1 FROM versions WHERE blob = t.blob AND tiny = 1) "
	   "AND NOT EXISTS (SELECT 1 FROM uploads WHERE source_blob = t.blob AND source_tiny = 1)")
QUERY_WALK(CHECK_UPLOADS, "SELECT 'node ' || n.id || ': its upload is not there' "
			  "FROM nodes n LEFT JOIN uploads u ON u.id = n.upload "
			  "WHERE n.upload <> 0 AND (u.id IS NULL OR u.node <> n.id)")
QUERY_WALK(CHECK_USED,
	   "SELECT 'zone ' || z.id || ': counts ' || z.used_bytes || ' bytes used, its versions '"
	   " || 'have ' || sum(coalesce(v.size, 0)) FROM zones z "
	   "LEFT JOIN nodes n ON n.zone = z.id LEFT JOIN versions v ON v.node = n.id "
	   "GROUP BY z.id HAVING z.used_bytes <> sum(coalesce(v.size, 0))")
QUERY_WALK(CHECK_RESERVED,
	   "SELECT 'zone ' || z.id || ': counts ' || z.reserved_bytes || ' bytes reserved, its '"
	   " || 'uploads have ' || sum(coalesce(u.reserved, 0)) FROM zones z "
	   "LEFT JOIN nodes n ON n.zone = z.id LEFT JOIN uploads u ON u.node = n.id "
	   "GROUP BY z.id HAVING z.reserved_bytes <> sum(coalesce(u.reserved, 0))")

/* ---- principals, credentials, grants ---- */

QUERY(PRINCIPAL_ADD,
      "INSERT INTO principals (name, role, disabled, made_us) VALUES (?1, ?2, ?3, ?4)")
QUERY(PRINCIPAL_BY_NAME, "SELECT " PRINCIPAL_COLUMNS " FROM principals WHERE name = ?1")
QUERY(PRINCIPAL_BY_ID, "SELECT " PRINCIPAL_COLUMNS " FROM principals WHERE id = ?1")
QUERY(PRINCIPAL_SET_DISABLED, "UPDATE principals SET disabled = ?2 WHERE id = ?1")
QUERY(PRINCIPAL_REMOVE, "DELETE FROM principals WHERE id = ?1")
QUERY_WALK(PRINCIPAL_EACH, "SELECT " PRINCIPAL_COLUMNS " FROM principals ORDER BY name")

QUERY(CREDENTIAL_ADD, "INSERT INTO credentials (principal, kind, fingerprint, algorithm, comment, "
		      "made_us, expires_us, networks) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
QUERY(CREDENTIAL_FIND, "SELECT " CREDENTIAL_COLUMNS " FROM credentials "
		       "WHERE principal = ?1 AND kind = ?2 AND fingerprint = ?3")
QUERY(ENROLMENT_DROP, "DELETE FROM enrolments WHERE principal = ?1")
QUERY(ENROLMENT_ADD, "INSERT INTO enrolments (code_hash, principal, made_us, expires_us, networks) "
		     "VALUES (?1, ?2, ?3, ?4, ?5)")
QUERY(ENROLMENT_FIND, "SELECT principal, made_us, expires_us, networks FROM enrolments "
		      "WHERE code_hash = ?1 AND expires_us > ?2")
QUERY(CREDENTIAL_BY_FINGERPRINT, "SELECT " CREDENTIAL_COLUMNS " FROM credentials "
				 "WHERE kind > 1 AND kind = ?1 AND fingerprint = ?2")
QUERY(CREDENTIAL_BY_ID, "SELECT " CREDENTIAL_COLUMNS " FROM credentials WHERE id = ?1")
QUERY(CREDENTIAL_REMOVE, "DELETE FROM credentials WHERE id = ?1")
QUERY_WALK(CREDENTIAL_EACH, "SELECT " CREDENTIAL_COLUMNS " FROM credentials ORDER BY id")
QUERY(CREDENTIAL_EACH_OF, "SELECT " CREDENTIAL_COLUMNS " FROM credentials WHERE principal = ?1 "
			  "ORDER BY kind, fingerprint")

QUERY(GRANT_ADD, "INSERT INTO grants (principal, zone, prefix, rights) VALUES (?1, ?2, ?3, ?4) "
		 "ON CONFLICT (principal, zone, prefix) DO UPDATE SET rights = excluded.rights "
		 "RETURNING id")
QUERY(GRANT_REMOVE, "DELETE FROM grants WHERE id = ?1")
QUERY(GRANT_EACH_OF, "SELECT id, principal, zone, prefix, rights FROM grants WHERE principal = ?1 "
		     "ORDER BY zone, prefix")

/* ---- zones ---- */

QUERY(ZONE_ADD, "INSERT INTO zones (name, root, quota_bytes, used_bytes, reserved_bytes, files, "
		"retention_s, recovery, made_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
QUERY(ZONE_SET, "UPDATE zones SET root = ?2, quota_bytes = ?3, retention_s = ?4, recovery = ?5, "
		"made_us = ?6 WHERE id = ?1")
QUERY(ZONE_BY_NAME, "SELECT " ZONE_COLUMNS " WHERE name = ?1")
QUERY(ZONE_BY_ID, "SELECT " ZONE_COLUMNS " WHERE id = ?1")
QUERY_WALK(ZONE_EACH, "SELECT " ZONE_COLUMNS " ORDER BY name")
QUERY(ZONE_ACCOUNT, "UPDATE zones SET used_bytes = used_bytes + ?2, "
		    "reserved_bytes = reserved_bytes + ?3, files = files + ?4 WHERE id = ?1")

QUERY(SECRET_ADD, "INSERT INTO zone_secrets (zone, wrapped) VALUES (?1, ?2) "
		  "ON CONFLICT (zone) DO NOTHING")
QUERY(SECRET_REMOVE_OTHER, "DELETE FROM zone_secrets WHERE zone = ?1 AND wrapped <> ?2")
QUERY(SECRET_REMOVE, "DELETE FROM zone_secrets WHERE zone = ?1")
QUERY_WALK(SECRETS_KEEP, "INSERT INTO temp.kept SELECT zone, wrapped FROM main.zone_secrets")
QUERY_WALK(SECRETS_CLEAR, "DELETE FROM main.zone_secrets")
QUERY_WALK(SECRETS_RESTORE, "INSERT INTO main.zone_secrets (zone, wrapped) "
			    "SELECT zone, wrapped FROM temp.kept ORDER BY zone")
QUERY_WALK(SECRETS_FORGET, "DELETE FROM temp.kept")

QUERY(ZONE_DOOM_VERSIONS, "INSERT OR IGNORE INTO doomed (blob) SELECT v.blob FROM nodes n "
			  "JOIN versions v ON v.node = n.id WHERE n.zone = ?1 AND v.tiny = 0")
QUERY(ZONE_DOOM_UPLOADS, "INSERT OR IGNORE INTO doomed (blob) SELECT u.blob FROM nodes n "
			 "JOIN uploads u ON u.node = n.id WHERE n.zone = ?1")
QUERY(ZONE_DOOM_SOURCES, "INSERT OR IGNORE INTO doomed (blob) SELECT u.source_blob FROM nodes n "
			 "JOIN uploads u ON u.node = n.id "
			 "WHERE n.zone = ?1 AND u.source_blob IS NOT NULL AND u.source_tiny = 0")
QUERY(ZONE_DROP_TINY, "DELETE FROM tiny WHERE blob IN (SELECT v.blob FROM nodes n "
		      "JOIN versions v ON v.node = n.id WHERE n.zone = ?1 AND v.tiny = 1)")
QUERY(ZONE_DROP_TINY_SOURCES,
      "DELETE FROM tiny WHERE blob IN (SELECT u.source_blob FROM nodes n "
      "JOIN uploads u ON u.node = n.id WHERE n.zone = ?1 AND u.source_tiny = 1)")
QUERY(ZONE_DROP_UPLOADS, "DELETE FROM uploads WHERE node IN (SELECT id FROM nodes WHERE zone = ?1)")
QUERY(ZONE_DROP_VERSIONS,
      "DELETE FROM versions WHERE node IN (SELECT id FROM nodes WHERE zone = ?1)")
QUERY(ZONE_DROP_NODES, "DELETE FROM nodes WHERE zone = ?1")
QUERY(ZONE_DROP_OBJECT_KEYS, "DELETE FROM object_keys WHERE zone = ?1")
QUERY(ZONE_DROP_GRANTS, "DELETE FROM grants WHERE zone = ?1")
QUERY(ZONE_DROP, "DELETE FROM zones WHERE id = ?1")

/* ---- nodes ---- */

QUERY(NODE_ADD, "INSERT INTO nodes (zone, parent, kind, object, owner, version, upload, mtime_s, "
		"made_us, name) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
QUERY(NODE_BY_ID, "SELECT " NODE_COLUMNS " FROM nodes WHERE id = ?1")
QUERY(NODE_CHILD, "SELECT " NODE_COLUMNS " FROM nodes WHERE parent = ?1 AND name = ?2")
QUERY(NODE_CHILDREN, "SELECT " NODE_COLUMNS " FROM nodes WHERE parent = ?1 AND id > ?2 "
		     "ORDER BY id LIMIT ?3")
QUERY(NODE_MOVE, "UPDATE nodes SET parent = ?2, name = ?3 WHERE id = ?1")
QUERY(NODE_SET, "UPDATE nodes SET owner = ?2, version = ?3, upload = ?4, mtime_s = ?5 "
		"WHERE id = ?1")
QUERY(NODE_REMOVE, "DELETE FROM nodes WHERE id = ?1")
QUERY(OBJECT_KEY_ADD, "INSERT INTO object_keys (object, zone, sealed) VALUES (?1, ?2, ?3)")
QUERY(OBJECT_KEY, "SELECT sealed FROM object_keys WHERE object = ?1")

/* ---- versions, uploads, doomed blobs ---- */

QUERY(VERSION_ADD,
      "INSERT INTO versions (node, blob, pin, tiny, size, sealed_hash, uploader, "
      "mtime_s, made_us, ticket, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
      "?11)")
QUERY(VERSION_BY_ID, "SELECT " VERSION_COLUMNS " FROM versions WHERE id = ?1")
QUERY(VERSION_BY_TICKET, "SELECT " VERSION_COLUMNS " FROM versions WHERE ticket = ?1")
QUERY(VERSION_SET_MTIME, "UPDATE versions SET mtime_s = ?2 WHERE id = ?1")
QUERY(VERSION_REMOVE, "DELETE FROM versions WHERE id = ?1")
QUERY(VERSION_NEXT, "SELECT " VERSION_COLUMNS " FROM versions WHERE id > ?1 ORDER BY id LIMIT 1")

QUERY(UPLOAD_ADD,
      "INSERT INTO uploads (node, principal, blob, pin, clean, durable, declared, "
      "reserved, source_blob, source_pin, source_finished, source_tiny, source_size, "
      "prefix, mtime_s, made_us, touched_us, goes_on, source_clean, ticket, stays) VALUES "
      "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, "
      "?19, ?20, ?21)")
QUERY(UPLOAD_BY_ID, "SELECT " UPLOAD_COLUMNS " FROM uploads WHERE id = ?1")
QUERY(UPLOAD_SET, "UPDATE uploads SET node = ?1, principal = ?2, blob = ?3, pin = ?4, clean = ?5, "
		  "durable = ?6, declared = ?7, reserved = ?8, source_blob = ?9, source_pin = ?10, "
		  "source_finished = ?11, source_tiny = ?12, source_size = ?13, prefix = ?14, "
		  "mtime_s = ?15, made_us = ?16, touched_us = ?17, goes_on = ?18, "
		  "source_clean = ?19, ticket = ?20, stays = ?21 WHERE id = ?22")
QUERY(UPLOAD_BY_TICKET, "SELECT " UPLOAD_COLUMNS " FROM uploads WHERE ticket = ?1")
QUERY_WALK(UPLOADS_END_RUN, "UPDATE uploads SET goes_on = 0 WHERE goes_on = 1")
QUERY(UPLOAD_REMOVE, "DELETE FROM uploads WHERE id = ?1")
QUERY(UPLOAD_NEXT, "SELECT " UPLOAD_COLUMNS " FROM uploads WHERE id > ?1 ORDER BY id LIMIT 1")

QUERY(UPLOAD_IDLE_AFTER, "SELECT " UPLOAD_COLUMNS " FROM uploads WHERE (touched_us, id) > (?1, ?2) "
			 "AND touched_us < ?3 ORDER BY touched_us, id LIMIT 1")
QUERY(UPLOADS_NOT_AFTER, "UPDATE uploads SET touched_us = ?1 WHERE touched_us > ?1")

QUERY(TINY_ADD, "INSERT INTO tiny (blob, content) VALUES (?1, ?2)")
QUERY(TINY_GET, "SELECT content FROM tiny WHERE blob = ?1")
QUERY(TINY_REMOVE, "DELETE FROM tiny WHERE blob = ?1")

QUERY(DOOMED_ADD, "INSERT OR IGNORE INTO doomed (blob) VALUES (?1)")
QUERY(DOOMED_REMOVE, "DELETE FROM doomed WHERE blob = ?1")
QUERY(DOOMED_AFTER, "SELECT blob FROM doomed WHERE blob > ?1 ORDER BY blob LIMIT 1")
QUERY(BLOB_KNOWN, "SELECT EXISTS (SELECT 1 FROM versions WHERE blob = ?1) "
		  "OR EXISTS (SELECT 1 FROM uploads WHERE blob = ?1) "
		  "OR EXISTS (SELECT 1 FROM uploads WHERE source_blob = ?1) "
		  "OR EXISTS (SELECT 1 FROM doomed WHERE blob = ?1)")
QUERY(STATE_KNOWN, "SELECT EXISTS (SELECT 1 FROM uploads WHERE blob = ?1 AND clean = 1) "
		   "OR EXISTS (SELECT 1 FROM uploads WHERE source_blob = ?1 AND source_clean = 1)")

/* ---- alerts ---- */

QUERY(ALERT_ADD, "INSERT INTO alerts (kind, raised_us, text) VALUES (?1, ?2, ?3)")
QUERY(ALERT_BY_KIND, "SELECT " ALERT_COLUMNS " FROM alerts WHERE kind = ?1")
QUERY(ALERT_BY_ID, "SELECT " ALERT_COLUMNS " FROM alerts WHERE id = ?1")
QUERY(ALERT_NEXT, "SELECT " ALERT_COLUMNS " FROM alerts WHERE id > ?1 ORDER BY id LIMIT 1")
QUERY(ALERT_REMOVE, "DELETE FROM alerts WHERE id = ?1")

/* ---- the log's outbox ---- */

QUERY(OUTBOX_ADD, "INSERT INTO outbox (seq, line) VALUES (?1, ?2)")
QUERY(OUTBOX_GET, "SELECT line FROM outbox WHERE seq = ?1")
QUERY(OUTBOX_CLEAR, "DELETE FROM outbox WHERE seq < ?1")

/* ---- upkeep ---- */

QUERY_WALK(SCRUB, "PRAGMA wal_checkpoint(TRUNCATE)")

#undef PRINCIPAL_COLUMNS
#undef CREDENTIAL_COLUMNS
#undef ZONE_COLUMNS
#undef NODE_COLUMNS
#undef VERSION_COLUMNS
#undef UPLOAD_COLUMNS
#undef ALERT_COLUMNS
