# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libage.a
libage_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
libage_a_SOURCES = \
	lib/age/aead.c lib/age/aead.h \
	lib/age/bech32.c lib/age/bech32.h \
	lib/age/decrypt.c lib/age/decrypt.h \
	lib/age/header.c lib/age/header.h \
	lib/age/key.c lib/age/key.h \
	lib/age/reader.c lib/age/reader.h \
	lib/age/stream.c lib/age/stream.h \
	lib/age/writer.c lib/age/writer.h \
	lib/age/x25519.c lib/age/x25519.h
age_LIBS = libage.a $(base_LIBS)
