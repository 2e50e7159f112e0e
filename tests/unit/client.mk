# SPDX-License-Identifier: Apache-2.0
# The client: what it makes of command lines, of a server's answers, and of the local disk.
client_test_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBCURL_CFLAGS) $(JANSSON_CFLAGS) $(CMOCKA_CFLAGS) -pthread
client_test_LIBS = $(client_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_client_call
tests_unit_test_client_call_SOURCES = tests/unit/test_client_call.c $(base_kit)
tests_unit_test_client_call_CFLAGS = $(client_test_CFLAGS)
tests_unit_test_client_call_LDADD = $(client_test_LIBS)

UNIT_TESTS += tests/unit/test_client_place
tests_unit_test_client_place_SOURCES = tests/unit/test_client_place.c $(base_kit)
tests_unit_test_client_place_CFLAGS = $(client_test_CFLAGS)
tests_unit_test_client_place_LDADD = $(client_test_LIBS)

UNIT_TESTS += tests/unit/test_client_answer
tests_unit_test_client_answer_SOURCES = tests/unit/test_client_answer.c $(base_kit)
tests_unit_test_client_answer_CFLAGS = $(client_test_CFLAGS)
tests_unit_test_client_answer_LDADD = $(client_test_LIBS)

UNIT_TESTS += tests/unit/test_client_listing
tests_unit_test_client_listing_SOURCES = tests/unit/test_client_listing.c $(base_kit)
tests_unit_test_client_listing_CFLAGS = $(client_test_CFLAGS)
tests_unit_test_client_listing_LDADD = $(client_test_LIBS)

UNIT_TESTS += tests/unit/test_client_url
tests_unit_test_client_url_SOURCES = tests/unit/test_client_url.c $(base_kit)
tests_unit_test_client_url_CFLAGS = $(client_test_CFLAGS)
tests_unit_test_client_url_LDADD = $(client_test_LIBS)

UNIT_TESTS += tests/unit/test_client_journal
tests_unit_test_client_journal_SOURCES = tests/unit/test_client_journal.c $(base_kit)
tests_unit_test_client_journal_CFLAGS = $(client_test_CFLAGS)
tests_unit_test_client_journal_LDADD = $(client_test_LIBS)

UNIT_TESTS += tests/unit/test_client_source
tests_unit_test_client_source_SOURCES = tests/unit/test_client_source.c $(base_kit)
tests_unit_test_client_source_CFLAGS = $(client_test_CFLAGS)
tests_unit_test_client_source_LDADD = $(client_test_LIBS)

UNIT_TESTS += tests/unit/test_client_target
tests_unit_test_client_target_SOURCES = tests/unit/test_client_target.c $(base_kit)
tests_unit_test_client_target_CFLAGS = $(client_test_CFLAGS)
tests_unit_test_client_target_LDADD = $(client_test_LIBS)

UNIT_TESTS += tests/unit/test_client_progress
tests_unit_test_client_progress_SOURCES = tests/unit/test_client_progress.c $(base_kit)
tests_unit_test_client_progress_CFLAGS = $(client_test_CFLAGS)
tests_unit_test_client_progress_LDADD = $(client_test_LIBS)

UNIT_TESTS += tests/unit/test_client_profile
tests_unit_test_client_profile_SOURCES = tests/unit/test_client_profile.c $(base_kit)
tests_unit_test_client_profile_CFLAGS = $(client_test_CFLAGS)
tests_unit_test_client_profile_LDADD = $(client_test_LIBS)

UNIT_TESTS += tests/unit/test_client_receipt
tests_unit_test_client_receipt_SOURCES = tests/unit/test_client_receipt.c $(base_kit)
tests_unit_test_client_receipt_CFLAGS = $(client_test_CFLAGS)
tests_unit_test_client_receipt_LDADD = $(client_test_LIBS)

# The corpus of the fuzzer, fed in every check.
check_PROGRAMS += tests/fuzz/fuzz_client_answer
TESTS += tests/fuzz/fuzz_client_answer
EXTRA_DIST += tests/fuzz/corpus/fuzz_client_answer
tests_fuzz_fuzz_client_answer_SOURCES = tests/fuzz/fuzz_client_answer.c tests/fuzz/replay.c
tests_fuzz_fuzz_client_answer_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBCURL_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_client_answer_LDADD = $(client_LIBS)
