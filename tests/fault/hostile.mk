# SPDX-License-Identifier: Apache-2.0
# A gate that was taken over, in process (hostile_gate: what it says; hostile_knock: who comes in;
# hostile_lies: what it does with uploads and downloads) and as a process.
hostile_kit = tests/fault/hostile_kit.c tests/fault/hostile_kit.h $(keep_asks)

check_PROGRAMS += tests/fault/hostile_process
tests_fault_hostile_process_SOURCES = tests/fault/hostile_process.c
tests_fault_hostile_process_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fault_hostile_process_LDADD = libwire.a $(base_LIBS)
FAULT_TESTS += tests/fault/hostile.sh
EXTRA_DIST += tests/fault/hostile.sh

if HAVE_CMOCKA
hostile_tests = tests/fault/hostile_gate tests/fault/hostile_knock tests/fault/hostile_lies
check_PROGRAMS += $(hostile_tests)
FAULT_TESTS += $(hostile_tests)

tests_fault_hostile_gate_SOURCES = tests/fault/hostile_gate.c tests/fault/hostile_asks.c tests/fault/hostile_asks.h $(hostile_kit)
tests_fault_hostile_gate_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_fault_hostile_gate_CFLAGS = $(keep_live_test_CFLAGS)
tests_fault_hostile_gate_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_fault_hostile_knock_SOURCES = tests/fault/hostile_knock.c $(hostile_kit)
tests_fault_hostile_knock_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_fault_hostile_knock_CFLAGS = $(keep_live_test_CFLAGS)
tests_fault_hostile_knock_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_fault_hostile_lies_SOURCES = tests/fault/hostile_lies.c $(hostile_kit)
tests_fault_hostile_lies_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_fault_hostile_lies_CFLAGS = $(keep_live_test_CFLAGS)
tests_fault_hostile_lies_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)
endif
