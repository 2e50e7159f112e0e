# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libwire.a
libwire_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
libwire_a_SOURCES = \
	lib/wire/codec.c lib/wire/codec.h \
	lib/wire/link.c lib/wire/link.h \
	lib/wire/messages.c lib/wire/messages.h \
	lib/wire/verbs.c lib/wire/verbs.h
