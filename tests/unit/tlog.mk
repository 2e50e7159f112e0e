# SPDX-License-Identifier: Apache-2.0
TLOG_UNIT_TESTS = \
	tests/unit/test_tlog_tree
UNIT_TESTS += $(TLOG_UNIT_TESTS)

tlog_kit = tests/unit/tlog_kit.c tests/unit/tlog_kit.h
tlog_test_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(CMOCKA_CFLAGS)
tlog_test_LIBS = $(tlog_LIBS) $(CMOCKA_LIBS)

tests_unit_test_tlog_tree_SOURCES = tests/unit/test_tlog_tree.c $(tlog_kit)
tests_unit_test_tlog_tree_CFLAGS = $(tlog_test_CFLAGS)
tests_unit_test_tlog_tree_LDADD = $(tlog_test_LIBS)
