# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libgate.a
libgate_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBUV_CFLAGS) $(LIBSSH_CFLAGS) \
	$(TLS_CFLAGS) $(LLHTTP_CFLAGS)
libgate_a_SOURCES = \
	daemon/gate/gate.c daemon/gate/gate.h \
	daemon/gate/http_body.c daemon/gate/http_body.h \
	daemon/gate/http_condition.c daemon/gate/http_condition.h \
	daemon/gate/http_connection.c daemon/gate/http_connection.h \
	daemon/gate/http_date.c daemon/gate/http_date.h \
	daemon/gate/http_download.c \
	daemon/gate/http_exchange.c daemon/gate/http_exchange.h \
	daemon/gate/http_files.c daemon/gate/http_files.h \
	daemon/gate/http_handlers.h \
	daemon/gate/http_head.c daemon/gate/http_head.h \
	daemon/gate/http_inside.h \
	daemon/gate/http_listing.c \
	daemon/gate/http_log.c \
	daemon/gate/http_log_words.c daemon/gate/http_log_words.h \
	daemon/gate/http_path.c daemon/gate/http_path.h \
	daemon/gate/http_plain.c \
	daemon/gate/http_problem.c daemon/gate/http_problem.h \
	daemon/gate/http_put.c \
	daemon/gate/http_routes.c \
	daemon/gate/http_socket.c \
	daemon/gate/http_tus.c daemon/gate/http_tus.h \
	daemon/gate/http_uploads.c \
	daemon/gate/http_who.c \
	daemon/gate/keeper.c daemon/gate/keeper.h \
	daemon/gate/limits.h \
	daemon/gate/privileges.c daemon/gate/privileges.h \
	daemon/gate/sftp.h \
	daemon/gate/sftp_attrs.c daemon/gate/sftp_attrs.h \
	daemon/gate/sftp_dispatch.c \
	daemon/gate/sftp_file.c \
	daemon/gate/sftp_inside.h \
	daemon/gate/sftp_ops_dir.c \
	daemon/gate/sftp_ops_ext.c \
	daemon/gate/sftp_ops_file.c \
	daemon/gate/sftp_ops_path.c \
	daemon/gate/sftp_packet.c daemon/gate/sftp_packet.h \
	daemon/gate/sftp_path.c daemon/gate/sftp_path.h \
	daemon/gate/sftp_reply.c daemon/gate/sftp_reply.h \
	daemon/gate/sftp_talk.c daemon/gate/sftp_talk.h \
	daemon/gate/ssh_auth.c \
	daemon/gate/ssh_channel.c \
	daemon/gate/ssh_inside.h \
	daemon/gate/ssh_listener.c daemon/gate/ssh_listener.h \
	daemon/gate/ssh_policy.c daemon/gate/ssh_policy.h \
	daemon/gate/ssh_request.c \
	daemon/gate/ssh_session.c daemon/gate/ssh_session.h \
	daemon/gate/tls_context.c daemon/gate/tls_context.h
include daemon/gate/transfer.mk

# Where llhttp is no library: its sources, which are not ours to warn about.
if LLHTTP_FROM_SOURCES
noinst_LIBRARIES += libllhttp.a
libllhttp_a_SOURCES =
libllhttp_a_LIBADD = llhttp-api.o llhttp-http.o llhttp-llhttp.o
llhttp-%.o: $(LLHTTP_SOURCES)/%.c
	$(AM_V_CC)$(CC) $(LLHTTP_CFLAGS) $(CPPFLAGS) $(DK_HARDENING) $(CFLAGS) -w -c -o $@ $<
CLEANFILES += llhttp-api.o llhttp-http.o llhttp-llhttp.o
llhttp_LIBS = libllhttp.a
else
llhttp_LIBS = $(LLHTTP_LIBS)
endif

gate_LIBS = libgate.a libage.a libwire.a $(llhttp_LIBS) $(LIBUV_LIBS) $(LIBSSH_LIBS) $(TLS_LIBS) $(base_LIBS)

pkglibexec_PROGRAMS += dropkeep-gate
dropkeep_gate_SOURCES = daemon/gate/main.c
dropkeep_gate_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBUV_CFLAGS) $(LIBSSH_CFLAGS) $(TLS_CFLAGS)
dropkeep_gate_LDADD = $(gate_LIBS)
