# SPDX-License-Identifier: Apache-2.0
FAULT_TESTS += tests/fault/disk-full.sh tests/fault/disk-fails.sh
EXTRA_DIST += tests/fault/disk-full.sh tests/fault/disk-fails.sh tests/fault/disk-lib.sh tests/fault/disk-words.py

# The keep in process, with the lab between it and the system; see lab.mk for the flags.
if HAVE_CMOCKA
check_PROGRAMS += tests/fault/disk_keep
FAULT_TESTS += tests/fault/disk_keep
endif
tests_fault_disk_keep_SOURCES = \
	tests/fault/disk_keep.c tests/fault/disk_acts.c tests/fault/disk_verify.c \
	tests/fault/disk_story.h tests/fault/lab.h tests/fault/lab_calls.c \
	tests/fault/lab_faults.c tests/fault/lab_steer.c tests/fault/lab_trace.c $(keep_asks)
tests_fault_disk_keep_CFLAGS = $(keep_live_test_CFLAGS) -I$(top_srcdir)/tests/unit \
	-U_FORTIFY_SOURCE -fno-sanitize=all
tests_fault_disk_keep_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)
