# SPDX-License-Identifier: Apache-2.0
# The operator's program: its command line, against a keep that is a script, and alone.
ctl_test_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS) $(CMOCKA_CFLAGS)
ctl_test_LIBS = $(ctl_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_ctl_call
tests_unit_test_ctl_call_SOURCES = tests/unit/test_ctl_call.c $(base_kit)
tests_unit_test_ctl_call_CFLAGS = $(ctl_test_CFLAGS)
tests_unit_test_ctl_call_LDADD = $(ctl_test_LIBS)

UNIT_TESTS += tests/unit/test_ctl_values
tests_unit_test_ctl_values_SOURCES = tests/unit/test_ctl_values.c $(base_kit)
tests_unit_test_ctl_values_CFLAGS = $(ctl_test_CFLAGS)
tests_unit_test_ctl_values_LDADD = $(ctl_test_LIBS)

UNIT_TESTS += tests/unit/test_ctl_run
tests_unit_test_ctl_run_SOURCES = tests/unit/test_ctl_run.c tests/unit/scripted_keep.c \
	tests/unit/scripted_keep.h $(base_kit)
tests_unit_test_ctl_run_CFLAGS = $(ctl_test_CFLAGS)
tests_unit_test_ctl_run_LDADD = $(ctl_test_LIBS)

UNIT_TESTS += tests/unit/test_ctl_verify_log
tests_unit_test_ctl_verify_log_SOURCES = tests/unit/test_ctl_verify_log.c $(base_kit)
tests_unit_test_ctl_verify_log_CFLAGS = $(ctl_test_CFLAGS)
tests_unit_test_ctl_verify_log_LDADD = $(ctl_test_LIBS)

TESTS += tests/unit/ctl-init.sh
EXTRA_DIST += tests/unit/ctl-init.sh
