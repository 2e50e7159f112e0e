# SPDX-License-Identifier: Apache-2.0
# Measurements, to be run by hand; nothing in the tests depends on a time.
EXTRA_PROGRAMS += bench/tiny_store
bench_tiny_store_SOURCES = bench/tiny_store.c
bench_tiny_store_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
bench_tiny_store_LDADD = $(SQLITE_LIBS)
EXTRA_DIST += bench/small_files.sh
