# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libkeep.a
libkeep_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBUV_CFLAGS) $(SQLITE_CFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS)
libkeep_a_SOURCES = \
	daemon/keep/answer_get.c \
	daemon/keep/answer_put_end.c daemon/keep/answer_put_lease.c daemon/keep/answer_put_open.c \
	daemon/keep/put_ask.c daemon/keep/put_ask.h \
	daemon/keep/answer_enroll.c \
	daemon/keep/answer_log.c \
	daemon/keep/answer_receipt.c \
	daemon/keep/answer_session.c \
	daemon/keep/answer_upload.c \
	daemon/keep/answer_tree.c \
	daemon/keep/alerts.c daemon/keep/alerts.h \
	daemon/keep/ask.c daemon/keep/ask.h \
	daemon/keep/audit.c daemon/keep/audit.h \
	daemon/keep/blobs.c daemon/keep/blobs.h \
	daemon/keep/check.c daemon/keep/check.h daemon/keep/check_inside.h \
	daemon/keep/check_uploads.c \
	daemon/keep/chores.c daemon/keep/chores.h \
	daemon/keep/command_alerts.c \
	daemon/keep/command_audit.c \
	daemon/keep/command_credential.c \
	daemon/keep/command_state.c \
	daemon/keep/command_user.c \
	daemon/keep/command_zone.c \
	daemon/keep/control.c daemon/keep/control.h \
	daemon/keep/deeds.c daemon/keep/deeds.h \
	daemon/keep/expiry.c daemon/keep/expiry.h \
	daemon/keep/flood.c daemon/keep/flood.h \
	daemon/keep/gate_link.c daemon/keep/gate_link.h \
	daemon/keep/gate_lost.c \
	daemon/keep/gate_settings.c daemon/keep/gate_settings.h \
	daemon/keep/gates.c daemon/keep/gates.h \
	daemon/keep/host_key.c daemon/keep/host_key.h \
	daemon/keep/init.c daemon/keep/state.h \
	daemon/keep/keep.c daemon/keep/keep.h \
	daemon/keep/keyring.c daemon/keep/keyring.h \
	daemon/keep/leases.c daemon/keep/leases.h \
	daemon/keep/lines.c daemon/keep/lines.h \
	daemon/keep/log_query.c daemon/keep/log_query.h \
	daemon/keep/listeners.c daemon/keep/listeners.h \
	daemon/keep/networks.c daemon/keep/networks.h \
	daemon/keep/object_key.c daemon/keep/object_key.h \
	daemon/keep/puts.c daemon/keep/puts.h \
	daemon/keep/recover.c daemon/keep/recover.h \
	daemon/keep/room.c daemon/keep/room.h \
	daemon/keep/record.c daemon/keep/record.h \
	daemon/keep/safe_json.c daemon/keep/safe_json.h \
	daemon/keep/resume.c daemon/keep/resume.h \
	daemon/keep/sealed_blob.c daemon/keep/sealed_blob.h \
	daemon/keep/service.c daemon/keep/service.h \
	daemon/keep/session.c daemon/keep/session.h \
	daemon/keep/sweep.c daemon/keep/sweep.h \
	daemon/keep/time_guard.c daemon/keep/time_guard.h \
	daemon/keep/tiny.c daemon/keep/tiny.h \
	daemon/keep/tls_files.c daemon/keep/tls_files.h \
	daemon/keep/token.c daemon/keep/token.h \
	daemon/keep/trail.c daemon/keep/trail.h \
	daemon/keep/trail_find.c \
	daemon/keep/trail_read.c \
	daemon/keep/trail_tiles.c \
	daemon/keep/turns.c daemon/keep/turns.h \
	daemon/keep/tree_path.c
include daemon/keep/storage.mk
include daemon/keep/tree.mk
keep_LIBS = libkeep.a libage.a libtlog.a libwire.a $(base_LIBS) \
	$(LIBUV_LIBS) $(SQLITE_LIBS) $(JANSSON_LIBS)

sbin_PROGRAMS += dropkeepd
dropkeepd_SOURCES = daemon/keep/main.c
dropkeepd_CFLAGS = $(libkeep_a_CFLAGS)
dropkeepd_LDADD = $(keep_LIBS)
