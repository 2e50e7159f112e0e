# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libtlog.a
libtlog_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
libtlog_a_SOURCES = \
	lib/tlog/checkpoint.c lib/tlog/checkpoint.h \
	lib/tlog/key.c lib/tlog/key.h \
	lib/tlog/line.c lib/tlog/line.h \
	lib/tlog/note.c lib/tlog/note.h \
	lib/tlog/proof.c lib/tlog/proof.h \
	lib/tlog/store.c lib/tlog/store.h \
	lib/tlog/tile.c lib/tlog/tile.h \
	lib/tlog/tiles.c lib/tlog/tiles.h \
	lib/tlog/tree.c lib/tlog/tree.h
tlog_LIBS = libtlog.a $(base_LIBS)
