# SPDX-License-Identifier: Apache-2.0
# Simple before complex, so that the first failure is the diagnosis.
TLOG_UNIT_TESTS = \
	tests/unit/test_tlog_line \
	tests/unit/test_tlog_tree \
	tests/unit/test_tlog_tile \
	tests/unit/test_tlog_store \
	tests/unit/test_tlog_tiles \
	tests/unit/test_tlog_crash \
	tests/unit/test_tlog_key \
	tests/unit/test_tlog_note \
	tests/unit/test_tlog_checkpoint \
	tests/unit/test_tlog_proof
UNIT_TESTS += $(TLOG_UNIT_TESTS)

tlog_kit = tests/unit/tlog_kit.c tests/unit/tlog_kit.h
tlog_test_LIBS = $(tlog_LIBS) $(CMOCKA_LIBS)

tests_unit_test_tlog_line_SOURCES = tests/unit/test_tlog_line.c $(tlog_kit)
tests_unit_test_tlog_line_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tlog_line_LDADD = $(tlog_test_LIBS)

tests_unit_test_tlog_tree_SOURCES = tests/unit/test_tlog_tree.c $(tlog_kit)
tests_unit_test_tlog_tree_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tlog_tree_LDADD = $(tlog_test_LIBS)

tests_unit_test_tlog_tile_SOURCES = tests/unit/test_tlog_tile.c $(tlog_kit)
tests_unit_test_tlog_tile_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tlog_tile_LDADD = $(tlog_test_LIBS)

tests_unit_test_tlog_store_SOURCES = tests/unit/test_tlog_store.c $(tlog_kit)
tests_unit_test_tlog_store_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tlog_store_LDADD = $(tlog_test_LIBS)

tests_unit_test_tlog_tiles_SOURCES = tests/unit/test_tlog_tiles.c $(tlog_kit)
tests_unit_test_tlog_tiles_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tlog_tiles_LDADD = $(tlog_test_LIBS)

tests_unit_test_tlog_crash_SOURCES = tests/unit/test_tlog_crash.c $(tlog_kit)
tests_unit_test_tlog_crash_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tlog_crash_LDADD = $(tlog_test_LIBS)
tests_unit_test_tlog_crash_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=openat,--wrap=write,--wrap=unlinkat,--wrap=mkdirat \
	-Wl,--wrap=renameat,--wrap=fsync,--wrap=fdatasync

tests_unit_test_tlog_key_SOURCES = tests/unit/test_tlog_key.c $(tlog_kit)
tests_unit_test_tlog_key_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tlog_key_LDADD = $(tlog_test_LIBS)

tests_unit_test_tlog_note_SOURCES = tests/unit/test_tlog_note.c $(tlog_kit)
tests_unit_test_tlog_note_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tlog_note_LDADD = $(tlog_test_LIBS)

tests_unit_test_tlog_checkpoint_SOURCES = tests/unit/test_tlog_checkpoint.c $(tlog_kit)
tests_unit_test_tlog_checkpoint_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tlog_checkpoint_LDADD = $(tlog_test_LIBS)

tests_unit_test_tlog_proof_SOURCES = tests/unit/test_tlog_proof.c $(tlog_kit)
tests_unit_test_tlog_proof_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tlog_proof_LDADD = $(tlog_test_LIBS)

# Corpora of the fuzzers, fed in every check.
TLOG_REPLAYS = \
	tests/fuzz/fuzz_tlog_note \
	tests/fuzz/fuzz_tlog_checkpoint \
	tests/fuzz/fuzz_tlog_proof
check_PROGRAMS += $(TLOG_REPLAYS)
TESTS += $(TLOG_REPLAYS)
EXTRA_DIST += \
	tests/fuzz/corpus/fuzz_tlog_note \
	tests/fuzz/corpus/fuzz_tlog_checkpoint \
	tests/fuzz/corpus/fuzz_tlog_proof

tests_fuzz_fuzz_tlog_note_SOURCES = tests/fuzz/fuzz_tlog_note.c tests/fuzz/replay.c
tests_fuzz_fuzz_tlog_note_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fuzz_fuzz_tlog_note_LDADD = $(tlog_LIBS)

tests_fuzz_fuzz_tlog_checkpoint_SOURCES = tests/fuzz/fuzz_tlog_checkpoint.c tests/fuzz/replay.c
tests_fuzz_fuzz_tlog_checkpoint_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fuzz_fuzz_tlog_checkpoint_LDADD = $(tlog_LIBS)

tests_fuzz_fuzz_tlog_proof_SOURCES = tests/fuzz/fuzz_tlog_proof.c tests/fuzz/replay.c
tests_fuzz_fuzz_tlog_proof_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fuzz_fuzz_tlog_proof_LDADD = $(tlog_LIBS)
