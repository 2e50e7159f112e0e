# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libclient.a
libclient_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBCURL_CFLAGS) $(JANSSON_CFLAGS) -pthread
libclient_a_SOURCES = \
	client/answer.c client/answer.h \
	client/call.c client/call.h \
	client/change.c \
	client/commands.c \
	client/completion.c \
	client/dirs.c client/dirs.h \
	client/download.c client/download.h \
	client/enroll.c \
	client/http.c client/http.h \
	client/identity.c client/identity.h \
	client/journal.c client/journal.h \
	client/listing.c client/listing.h \
	client/ls.c \
	client/place.c client/place.h \
	client/profile.c client/profile.h \
	client/profile_draft.c \
	client/progress.c client/progress.h \
	client/pull.c \
	client/push.c \
	client/log_proof.c client/log_proof.h \
	client/log_seen.c client/log_seen.h \
	client/receipt_commands.c \
	client/receipt_open.c \
	client/receipts.c client/receipts.h \
	client/retry.c client/retry.h \
	client/run.h \
	client/safe.c client/safe.h \
	client/say.c client/say.h \
	client/session.c client/session.h \
	client/source.c client/source.h \
	client/status.c \
	client/stop.c client/stop.h \
	client/target.c client/target.h \
	client/tree_local.c client/tree_local.h \
	client/tree_remote.c client/tree_remote.h \
	client/upload.c client/upload.h \
	client/upload_parts.c \
	client/upload_stream.c \
	client/url.c client/url.h \
	client/work.c client/work.h
client_LIBS = libclient.a libtlog.a $(base_LIBS) $(LIBCURL_LIBS) $(JANSSON_LIBS)

bin_PROGRAMS += dropkeep
dropkeep_SOURCES = client/main.c
dropkeep_CFLAGS = $(AM_CFLAGS) -pthread
dropkeep_LDADD = $(client_LIBS)
