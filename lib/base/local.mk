# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libbase.a
libbase_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(INIH_CFLAGS) $(SYSTEMD_CFLAGS)
libbase_a_SOURCES = \
	lib/base/address.c lib/base/address.h \
	lib/base/banned.h \
	lib/base/buf.c lib/base/buf.h \
	lib/base/clock.c lib/base/clock.h \
	lib/base/conf.c lib/base/conf.h \
	lib/base/conf_value.c lib/base/conf_value.h \
	lib/base/err.c lib/base/err.h \
	lib/base/log.c lib/base/log.h \
	lib/base/log_journal.c lib/base/log_journal.h \
	lib/base/mem.c lib/base/mem.h \
	lib/base/secret.c lib/base/secret.h \
	lib/base/settings.c lib/base/settings.h \
	lib/base/sha256.c lib/base/sha256.h \
	lib/base/slots.c lib/base/slots.h \
	lib/base/sys.c lib/base/sys.h \
	lib/base/text.c lib/base/text.h \
	lib/base/units.c lib/base/units.h
base_LIBS = libbase.a $(CRYPTO_LIBS) $(INIH_LIBS) $(SYSTEMD_LIBS)
