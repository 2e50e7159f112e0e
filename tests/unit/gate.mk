# SPDX-License-Identifier: Apache-2.0

# Uploads and downloads, against a keep that is not there (fake_keep).
TRANSFER_TESTS = tests/unit/test_gate_spans tests/unit/test_gate_put tests/unit/test_gate_get
UNIT_TESTS += $(TRANSFER_TESTS)
transfer_test_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBUV_CFLAGS) $(CMOCKA_CFLAGS)
transfer_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=age_stream_from_key -Wl,--wrap=age_stream_seal \
	-Wl,--wrap=age_stream_open -Wl,--wrap=sys_sync_data
transfer_test_LDADD = libgate.a libage.a libwire.a $(LIBUV_LIBS) $(base_LIBS) $(CMOCKA_LIBS)
transfer_fake = tests/unit/fake_keep.c tests/unit/fake_keep.h

tests_unit_test_gate_spans_CFLAGS = $(transfer_test_CFLAGS)
tests_unit_test_gate_spans_LDADD = $(transfer_test_LDADD)
tests_unit_test_gate_put_SOURCES = tests/unit/test_gate_put.c tests/unit/put_rig.h $(transfer_fake)
tests_unit_test_gate_put_CFLAGS = $(transfer_test_CFLAGS)
tests_unit_test_gate_put_LDFLAGS = $(transfer_test_LDFLAGS)
tests_unit_test_gate_put_LDADD = $(transfer_test_LDADD)
tests_unit_test_gate_get_SOURCES = tests/unit/test_gate_get.c $(transfer_fake)
tests_unit_test_gate_get_CFLAGS = $(transfer_test_CFLAGS)
tests_unit_test_gate_get_LDFLAGS = $(transfer_test_LDFLAGS)
tests_unit_test_gate_get_LDADD = $(transfer_test_LDADD)
