# SPDX-License-Identifier: Apache-2.0
# What the keep knows and the keys that protect it: the catalog, the key hierarchy.
libkeep_a_SOURCES += \
	daemon/keep/catalog.c daemon/keep/catalog.h \
	daemon/keep/catalog_accounts.c \
	daemon/keep/catalog_alerts.c \
	daemon/keep/catalog_check.c \
	daemon/keep/catalog_db.c daemon/keep/catalog_db.h \
	daemon/keep/catalog_nodes.c \
	daemon/keep/catalog_outbox.c \
	daemon/keep/catalog_schema.c \
	daemon/keep/catalog_sql.h \
	daemon/keep/catalog_uploads.c \
	daemon/keep/catalog_vfs.c daemon/keep/catalog_vfs.h \
	daemon/keep/catalog_wal.c daemon/keep/catalog_wal.h \
	daemon/keep/catalog_zones.c \
	daemon/keep/gcm.c daemon/keep/gcm.h \
	daemon/keep/keys.c daemon/keep/keys.h \
	daemon/keep/siv.c daemon/keep/siv.h
