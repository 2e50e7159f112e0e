# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libgate.a
libgate_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBUV_CFLAGS) $(LIBSSH_CFLAGS)
libgate_a_SOURCES = \
	daemon/gate/gate.c daemon/gate/gate.h \
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
	daemon/gate/ssh_session.c daemon/gate/ssh_session.h
include daemon/gate/transfer.mk
gate_LIBS = libgate.a libage.a libwire.a $(LIBUV_LIBS) $(LIBSSH_LIBS) $(base_LIBS)

pkglibexec_PROGRAMS += dropkeep-gate
dropkeep_gate_SOURCES = daemon/gate/main.c
dropkeep_gate_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBUV_CFLAGS) $(LIBSSH_CFLAGS)
dropkeep_gate_LDADD = $(gate_LIBS)
