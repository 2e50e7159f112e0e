# SPDX-License-Identifier: Apache-2.0
# What gate and keep say to each other.
wire_test_LIBS = libwire.a $(base_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_wire_codec
tests_unit_test_wire_codec_SOURCES = tests/unit/test_wire_codec.c $(base_kit)
tests_unit_test_wire_codec_CFLAGS = $(base_test_CFLAGS)
tests_unit_test_wire_codec_LDADD = $(wire_test_LIBS)

UNIT_TESTS += tests/unit/test_wire_messages
tests_unit_test_wire_messages_SOURCES = tests/unit/test_wire_messages.c $(base_kit)
tests_unit_test_wire_messages_CFLAGS = $(base_test_CFLAGS)
tests_unit_test_wire_messages_LDADD = $(wire_test_LIBS)

UNIT_TESTS += tests/unit/test_wire_link
tests_unit_test_wire_link_SOURCES = tests/unit/test_wire_link.c $(base_kit)
tests_unit_test_wire_link_CFLAGS = $(base_test_CFLAGS)
tests_unit_test_wire_link_LDADD = $(wire_test_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_wire_messages
TESTS += tests/fuzz/fuzz_wire_messages
tests_fuzz_fuzz_wire_messages_SOURCES = tests/fuzz/fuzz_wire_messages.c tests/fuzz/replay.c
tests_fuzz_fuzz_wire_messages_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fuzz_fuzz_wire_messages_LDADD = libwire.a $(base_LIBS)
EXTRA_DIST += tests/fuzz/corpus/fuzz_wire_messages
