# SPDX-License-Identifier: Apache-2.0
# Bits that turn in what is stored.
if HAVE_CMOCKA
FAULT_TESTS += tests/fault/flips_catalog
check_PROGRAMS += tests/fault/flips_catalog
tests_fault_flips_catalog_SOURCES = tests/fault/flips_catalog.c $(keep_catalog_kit)
tests_fault_flips_catalog_CFLAGS = $(keep_storage_test_CFLAGS)
tests_fault_flips_catalog_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)
endif

FAULT_TESTS += tests/fault/flips.sh
EXTRA_DIST += tests/fault/flips.sh tests/fault/flips.py
