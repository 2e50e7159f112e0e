# SPDX-License-Identifier: Apache-2.0

# The keep's storage: keys and catalog.
KEEP_STORAGE_TESTS = \
	tests/unit/test_keep_keys \
	tests/unit/test_keep_catalog \
	tests/unit/test_keep_catalog_rows \
	tests/unit/test_keep_catalog_shred
UNIT_TESTS += $(KEEP_STORAGE_TESTS)

keep_kit = tests/unit/keep_kit.c tests/unit/keep_kit.h
keep_catalog_kit = $(keep_kit) tests/unit/keep_catalog_kit.c tests/unit/keep_catalog_kit.h
keep_storage_test_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(SQLITE_CFLAGS) $(CMOCKA_CFLAGS)

tests_unit_test_keep_keys_SOURCES = tests/unit/test_keep_keys.c $(keep_kit)
tests_unit_test_keep_keys_CFLAGS = $(keep_storage_test_CFLAGS)
tests_unit_test_keep_keys_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_catalog_SOURCES = tests/unit/test_keep_catalog.c $(keep_kit)
tests_unit_test_keep_catalog_CFLAGS = $(keep_storage_test_CFLAGS)
tests_unit_test_keep_catalog_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_catalog_rows_SOURCES = tests/unit/test_keep_catalog_rows.c $(keep_catalog_kit)
tests_unit_test_keep_catalog_rows_CFLAGS = $(keep_storage_test_CFLAGS)
tests_unit_test_keep_catalog_rows_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_catalog_shred_SOURCES = tests/unit/test_keep_catalog_shred.c $(keep_catalog_kit)
tests_unit_test_keep_catalog_shred_CFLAGS = $(keep_storage_test_CFLAGS)
tests_unit_test_keep_catalog_shred_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)
