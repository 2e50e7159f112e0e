# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libgate.a
libgate_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBUV_CFLAGS) $(LIBSSH_CFLAGS)
libgate_a_SOURCES = \
	daemon/gate/keeper.c daemon/gate/keeper.h \
	daemon/gate/limits.h
include daemon/gate/transfer.mk
gate_LIBS = libgate.a libage.a libwire.a $(LIBUV_LIBS) $(LIBSSH_LIBS) $(base_LIBS)
