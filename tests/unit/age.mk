# SPDX-License-Identifier: Apache-2.0
# The age format: unit tests, the published vectors (AGE_VECTORS names their folder), the
# corpus of the header's fuzzer, and two programs for conversations with stock age.
age_cflags = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(CMOCKA_CFLAGS)
age_libs = $(age_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_age_aead
tests_unit_test_age_aead_SOURCES = tests/unit/test_age_aead.c tests/unit/age_test.h
tests_unit_test_age_aead_CFLAGS = $(age_cflags)
tests_unit_test_age_aead_LDADD = $(age_libs)

UNIT_TESTS += tests/unit/test_age_bech32
tests_unit_test_age_bech32_SOURCES = tests/unit/test_age_bech32.c tests/unit/age_test.h
tests_unit_test_age_bech32_CFLAGS = $(age_cflags)
tests_unit_test_age_bech32_LDADD = $(age_libs)

UNIT_TESTS += tests/unit/test_age_key
tests_unit_test_age_key_SOURCES = tests/unit/test_age_key.c tests/unit/age_test.h
tests_unit_test_age_key_CFLAGS = $(age_cflags)
tests_unit_test_age_key_LDADD = $(age_libs)

UNIT_TESTS += tests/unit/test_age_header
tests_unit_test_age_header_SOURCES = tests/unit/test_age_header.c tests/unit/age_test.h
tests_unit_test_age_header_CFLAGS = $(age_cflags)
tests_unit_test_age_header_LDADD = $(age_libs)

UNIT_TESTS += tests/unit/test_age_stream
tests_unit_test_age_stream_SOURCES = tests/unit/test_age_stream.c tests/unit/age_test.h
tests_unit_test_age_stream_CFLAGS = $(age_cflags)
tests_unit_test_age_stream_LDADD = $(age_libs)

UNIT_TESTS += tests/unit/test_age_sequence
tests_unit_test_age_sequence_SOURCES = tests/unit/test_age_sequence.c tests/unit/age_files.h \
	tests/unit/age_test.h
tests_unit_test_age_sequence_CFLAGS = $(age_cflags)
tests_unit_test_age_sequence_LDADD = $(age_libs)

UNIT_TESTS += tests/unit/test_age_reader
tests_unit_test_age_reader_SOURCES = tests/unit/test_age_reader.c tests/unit/age_files.h \
	tests/unit/age_test.h
tests_unit_test_age_reader_CFLAGS = $(age_cflags)
tests_unit_test_age_reader_LDADD = $(age_libs)

# These need no cmocka.
check_PROGRAMS += tests/unit/test_age_vectors
TESTS += tests/unit/test_age_vectors
tests_unit_test_age_vectors_SOURCES = tests/unit/test_age_vectors.c
tests_unit_test_age_vectors_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(ZLIB_CFLAGS)
tests_unit_test_age_vectors_LDADD = $(age_LIBS) $(ZLIB_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_age_header
TESTS += tests/fuzz/fuzz_age_header
tests_fuzz_fuzz_age_header_SOURCES = tests/fuzz/fuzz_age_header.c tests/fuzz/replay.c
tests_fuzz_fuzz_age_header_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fuzz_fuzz_age_header_LDADD = $(age_LIBS)
EXTRA_DIST += tests/fuzz/corpus/fuzz_age_header

check_PROGRAMS += tests/tools/agecat tests/tools/ageseal
tests_tools_agecat_SOURCES = tests/tools/agecat.c
tests_tools_agecat_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_tools_agecat_LDADD = $(age_LIBS)
tests_tools_ageseal_SOURCES = tests/tools/ageseal.c
tests_tools_ageseal_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_tools_ageseal_LDADD = $(age_LIBS)
