/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalog's schema as steps from version to version; doc/FORMAT.catalog.md explains it.
 * A step that has been released is never changed: a new one follows it.
 */
#include "daemon/keep/catalog_db.h"

/*
 * Numbers are never used twice (AUTOINCREMENT): nodes keep the number of an owner who is gone,
 * and names and secrets are sealed under numbers. Counts that may grow kinds (credentials)
 * have no CHECK that a later version would have to lift.
 *
 * A wrapped secret has its own table, where no change of a counter moves it about, and which
 * is small enough to be written afresh when one of them must go (catalog_zones.c).
 */
static const char version_1[] =
    "CREATE TABLE meta ("
    " key TEXT PRIMARY KEY,"
    " value BLOB NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE principals ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL UNIQUE,"
    " role INTEGER NOT NULL CHECK (role BETWEEN 1 AND 3),"
    " disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),"
    " made_us INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE credentials ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " principal INTEGER NOT NULL REFERENCES principals (id) ON DELETE CASCADE,"
    " kind INTEGER NOT NULL CHECK (kind > 0),"
    " fingerprint TEXT NOT NULL,"
    " algorithm TEXT NOT NULL,"
    " comment TEXT NOT NULL,"
    " made_us INTEGER NOT NULL,"
    " expires_us INTEGER NOT NULL,"
    " UNIQUE (principal, kind, fingerprint)"
    ") STRICT;"

    /* zone 0 means all zones, so it can't be a reference; catalog_zone_remove() sees to it. */
    "CREATE TABLE grants ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " principal INTEGER NOT NULL REFERENCES principals (id) ON DELETE CASCADE,"
    " zone INTEGER NOT NULL,"
    " prefix BLOB NOT NULL CHECK (length(prefix) <= 1024),"
    " rights INTEGER NOT NULL CHECK (rights BETWEEN 0 AND 255),"
    " UNIQUE (principal, zone, prefix)"
    ") STRICT;"
    "CREATE INDEX grants_by_zone ON grants (zone);"

    "CREATE TABLE zones ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL UNIQUE,"
    " root INTEGER NOT NULL,"
    " quota_bytes INTEGER NOT NULL CHECK (quota_bytes >= 0),"
    " used_bytes INTEGER NOT NULL CHECK (used_bytes >= 0),"
    " reserved_bytes INTEGER NOT NULL CHECK (reserved_bytes >= 0),"
    " files INTEGER NOT NULL CHECK (files >= 0),"
    " retention_s INTEGER NOT NULL,"
    " recovery INTEGER NOT NULL CHECK (recovery IN (0, 1)),"
    " made_us INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE zone_secrets ("
    " zone INTEGER PRIMARY KEY REFERENCES zones (id),"
    " wrapped BLOB NOT NULL CHECK (length(wrapped) BETWEEN 1 AND 256)"
    ") STRICT;"

    "CREATE TABLE nodes ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " zone INTEGER NOT NULL REFERENCES zones (id),"
    " parent INTEGER REFERENCES nodes (id),"
    " kind INTEGER NOT NULL CHECK (kind IN (1, 2)),"
    " object BLOB NOT NULL CHECK (length(object) = 16),"
    " owner INTEGER NOT NULL,"
    " version INTEGER NOT NULL,"
    " upload INTEGER NOT NULL,"
    " mtime_s INTEGER NOT NULL,"
    " made_us INTEGER NOT NULL,"
    " name BLOB NOT NULL CHECK (length(name) <= 271 AND (parent IS NULL OR length(name) > 0)),"
    " UNIQUE (parent, name)"
    ") STRICT;"
    /* An index ends with the row's number, so this one gives a folder's children in order. */
    "CREATE INDEX nodes_by_parent ON nodes (parent);"
    "CREATE INDEX nodes_by_zone ON nodes (zone);"
    "CREATE UNIQUE INDEX nodes_root ON nodes (zone) WHERE parent IS NULL;"

    /* Outlives its node, for the log needs it; goes with its zone. */
    "CREATE TABLE object_keys ("
    " object BLOB PRIMARY KEY CHECK (length(object) = 16),"
    " zone INTEGER NOT NULL REFERENCES zones (id),"
    " sealed BLOB NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX object_keys_by_zone ON object_keys (zone);"

    "CREATE TABLE versions ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " node INTEGER NOT NULL REFERENCES nodes (id),"
    " blob BLOB NOT NULL UNIQUE CHECK (length(blob) = 16),"
    " pin BLOB NOT NULL CHECK (length(pin) = 32),"
    " size INTEGER NOT NULL CHECK (size >= 0),"
    " sealed_hash BLOB NOT NULL CHECK (length(sealed_hash) <= 64),"
    " uploader INTEGER NOT NULL,"
    " mtime_s INTEGER NOT NULL,"
    " made_us INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX versions_by_node ON versions (node);"

    "CREATE TABLE uploads ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " node INTEGER NOT NULL REFERENCES nodes (id),"
    " principal INTEGER NOT NULL,"
    " blob BLOB NOT NULL UNIQUE CHECK (length(blob) = 16),"
    " pin BLOB NOT NULL CHECK (length(pin) = 32),"
    " clean INTEGER NOT NULL CHECK (clean IN (0, 1)),"
    " durable INTEGER NOT NULL CHECK (durable >= 0),"
    " declared INTEGER CHECK (declared >= 0),"
    " reserved INTEGER NOT NULL CHECK (reserved >= 0),"
    " source_blob BLOB CHECK (length(source_blob) = 16),"
    " source_pin BLOB CHECK (length(source_pin) = 32),"
    " source_finished INTEGER NOT NULL CHECK (source_finished IN (0, 1)),"
    " source_size INTEGER NOT NULL CHECK (source_size >= 0),"
    " prefix INTEGER NOT NULL CHECK (prefix >= 0),"
    " mtime_s INTEGER NOT NULL,"
    " made_us INTEGER NOT NULL,"
    " touched_us INTEGER NOT NULL,"
    " CHECK ((source_blob IS NULL) = (source_pin IS NULL))"
    ") STRICT;"
    "CREATE INDEX uploads_by_node ON uploads (node);"
    "CREATE INDEX uploads_by_source ON uploads (source_blob) WHERE source_blob IS NOT NULL;"

    "CREATE TABLE doomed ("
    " blob BLOB PRIMARY KEY CHECK (length(blob) = 16)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE outbox ("
    " seq INTEGER PRIMARY KEY,"
    " line BLOB NOT NULL"
    ") STRICT;"

    "PRAGMA application_id = 1685220208;" /* CATALOG_APPLICATION */
    "PRAGMA user_version = 1;";

/* Uploads that a version 1 left clean begin with goes_on 0: nobody can tell whether the copy of the
 * catalog at hand is the only one that has gone on. */
static const char version_2[] =
    "ALTER TABLE uploads ADD COLUMN goes_on INTEGER NOT NULL DEFAULT 0 CHECK (goes_on IN (0, 1));"
    "ALTER TABLE uploads ADD COLUMN source_clean INTEGER NOT NULL DEFAULT 0"
    " CHECK (source_clean IN (0, 1));"

    /* Contents of one chunk, as complete age files; named by versions, and by uploads that go on
     * from what was one. Apart from them, so that trees and lists stay small. */
    "CREATE TABLE tiny ("
    " blob BLOB PRIMARY KEY CHECK (length(blob) = 16),"
    " content BLOB NOT NULL CHECK (length(content) BETWEEN 1 AND 69664)" /* TINY_MAX */
    ") STRICT;"
    "ALTER TABLE versions ADD COLUMN tiny INTEGER NOT NULL DEFAULT 0 CHECK (tiny IN (0, 1));"
    "ALTER TABLE uploads ADD COLUMN source_tiny INTEGER NOT NULL DEFAULT 0"
    " CHECK (source_tiny IN (0, 1));"
    "PRAGMA user_version = 2;";

static const char version_3[] =
    /* Where a credential may be used from: networks (address/bits) separated by blanks; empty: from
     * anywhere. */
    "ALTER TABLE credentials ADD COLUMN networks TEXT NOT NULL DEFAULT '';"
    /* Certificates and tokens come without a user's name. */
    "CREATE UNIQUE INDEX credentials_nameless ON credentials (kind, fingerprint) WHERE kind > 1;"

    /* One-time codes, as their SHA-256. */
    "CREATE TABLE enrolments ("
    " code_hash BLOB PRIMARY KEY CHECK (length(code_hash) = 32),"
    " principal INTEGER NOT NULL REFERENCES principals (id) ON DELETE CASCADE,"
    " made_us INTEGER NOT NULL,"
    " expires_us INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX enrolments_by_principal ON enrolments (principal);"

    /* An upload's name for its uploader, from its beginning on; its version keeps it, and the
     * number of its record in the log. stays: it is there also while nothing of it is durable. */
    "ALTER TABLE uploads ADD COLUMN ticket BLOB CHECK (length(ticket) = 16);"
    "UPDATE uploads SET ticket = randomblob(16);"
    "CREATE UNIQUE INDEX uploads_by_ticket ON uploads (ticket);"
    "ALTER TABLE uploads ADD COLUMN stays INTEGER NOT NULL DEFAULT 0 CHECK (stays IN (0, 1));"
    "ALTER TABLE versions ADD COLUMN ticket BLOB CHECK (length(ticket) = 16);"
    "ALTER TABLE versions ADD COLUMN record INTEGER CHECK (record >= 0);"
    "CREATE UNIQUE INDEX versions_by_ticket ON versions (ticket) WHERE ticket IS NOT NULL;"
    "PRAGMA user_version = 3;";

static const char version_4[] =
    /* Where an enrolment may be made from, and the credential that it makes be used from: as of
     * credentials. */
    "ALTER TABLE enrolments ADD COLUMN networks TEXT NOT NULL DEFAULT '';"

    /* The longest untouched come first, to see which have expired. */
    "CREATE INDEX uploads_by_touch ON uploads (touched_us);"

    /* What waits for an operator's word; of each kind one at a time. */
    "CREATE TABLE alerts ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " kind TEXT NOT NULL UNIQUE,"
    " raised_us INTEGER NOT NULL,"
    " text TEXT NOT NULL"
    ") STRICT;"
    "PRAGMA user_version = 4;";

const char *const catalog_migrations[] = {version_1, version_2, version_3, version_4};
const unsigned catalog_version = sizeof catalog_migrations / sizeof *catalog_migrations;
