# SPDX-License-Identifier: Apache-2.0
base_kit = tests/unit/base_kit.c tests/unit/base_kit.h
base_test_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(CMOCKA_CFLAGS)
base_test_LIBS = $(base_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_base_err
tests_unit_test_base_err_SOURCES = tests/unit/test_base_err.c $(base_kit)
tests_unit_test_base_err_CFLAGS = $(base_test_CFLAGS)
tests_unit_test_base_err_LDADD = $(base_test_LIBS)

UNIT_TESTS += tests/unit/test_base_buf
tests_unit_test_base_buf_SOURCES = tests/unit/test_base_buf.c $(base_kit)
tests_unit_test_base_buf_CFLAGS = $(base_test_CFLAGS)
tests_unit_test_base_buf_LDADD = $(base_test_LIBS)

UNIT_TESTS += tests/unit/test_base_text
tests_unit_test_base_text_SOURCES = tests/unit/test_base_text.c $(base_kit)
tests_unit_test_base_text_CFLAGS = $(base_test_CFLAGS)
tests_unit_test_base_text_LDADD = $(base_test_LIBS)

UNIT_TESTS += tests/unit/test_base_sha256
tests_unit_test_base_sha256_SOURCES = tests/unit/test_base_sha256.c $(base_kit)
tests_unit_test_base_sha256_CFLAGS = $(base_test_CFLAGS)
tests_unit_test_base_sha256_LDADD = $(base_test_LIBS)

UNIT_TESTS += tests/unit/test_base_sys
tests_unit_test_base_sys_SOURCES = tests/unit/test_base_sys.c $(base_kit)
tests_unit_test_base_sys_CFLAGS = $(base_test_CFLAGS)
tests_unit_test_base_sys_LDADD = $(base_test_LIBS)

UNIT_TESTS += tests/unit/test_base_units
tests_unit_test_base_units_SOURCES = tests/unit/test_base_units.c $(base_kit)
tests_unit_test_base_units_CFLAGS = $(base_test_CFLAGS)
tests_unit_test_base_units_LDADD = $(base_test_LIBS)

UNIT_TESTS += tests/unit/test_base_conf
tests_unit_test_base_conf_SOURCES = tests/unit/test_base_conf.c $(base_kit)
tests_unit_test_base_conf_CFLAGS = $(base_test_CFLAGS)
tests_unit_test_base_conf_LDADD = $(base_test_LIBS)

UNIT_TESTS += tests/unit/test_base_settings
tests_unit_test_base_settings_SOURCES = tests/unit/test_base_settings.c $(base_kit)
tests_unit_test_base_settings_CFLAGS = $(base_test_CFLAGS)
tests_unit_test_base_settings_LDADD = $(base_test_LIBS)

UNIT_TESTS += tests/unit/test_base_log
tests_unit_test_base_log_SOURCES = tests/unit/test_base_log.c $(base_kit)
tests_unit_test_base_log_CFLAGS = $(base_test_CFLAGS)
tests_unit_test_base_log_LDADD = $(base_test_LIBS)

UNIT_TESTS += tests/unit/test_base_slots
tests_unit_test_base_slots_SOURCES = tests/unit/test_base_slots.c $(base_kit)
tests_unit_test_base_slots_CFLAGS = $(base_test_CFLAGS)
tests_unit_test_base_slots_LDADD = $(base_test_LIBS)

UNIT_TESTS += tests/unit/test_base_secret
tests_unit_test_base_secret_SOURCES = tests/unit/test_base_secret.c $(base_kit)
tests_unit_test_base_secret_CFLAGS = $(base_test_CFLAGS)
tests_unit_test_base_secret_LDADD = $(base_test_LIBS)
