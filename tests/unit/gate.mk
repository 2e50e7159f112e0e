# SPDX-License-Identifier: Apache-2.0

# Uploads and downloads, against a keep that is not there (fake_keep).
TRANSFER_TESTS = tests/unit/test_gate_spans tests/unit/test_gate_get tests/unit/test_gate_put \
	tests/unit/test_gate_put_resume tests/unit/test_gate_put_fail tests/unit/test_gate_put_random \
	tests/unit/test_gate_put_store tests/unit/test_gate_put_http
UNIT_TESTS += $(TRANSFER_TESTS)
transfer_test_cflags = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBUV_CFLAGS) $(CMOCKA_CFLAGS)
transfer_test_ldflags = $(AM_LDFLAGS) -Wl,--wrap=age_stream_from_key -Wl,--wrap=age_stream_seal \
	-Wl,--wrap=age_stream_open -Wl,--wrap=sys_sync_data -Wl,--wrap=sys_pwrite_all
transfer_test_ldadd = libgate.a libage.a libwire.a $(LIBUV_LIBS) $(base_LIBS) $(CMOCKA_LIBS)
transfer_fake = tests/unit/fake_keep.c tests/unit/fake_keep.h

tests_unit_test_gate_spans_CFLAGS = $(transfer_test_cflags)
tests_unit_test_gate_spans_LDADD = $(transfer_test_ldadd)
tests_unit_test_gate_put_SOURCES = tests/unit/test_gate_put.c tests/unit/put_rig.h $(transfer_fake)
tests_unit_test_gate_put_CFLAGS = $(transfer_test_cflags)
tests_unit_test_gate_put_LDFLAGS = $(transfer_test_ldflags)
tests_unit_test_gate_put_LDADD = $(transfer_test_ldadd)
tests_unit_test_gate_put_resume_SOURCES = tests/unit/test_gate_put_resume.c tests/unit/put_rig.h $(transfer_fake)
tests_unit_test_gate_put_resume_CFLAGS = $(transfer_test_cflags)
tests_unit_test_gate_put_resume_LDFLAGS = $(transfer_test_ldflags)
tests_unit_test_gate_put_resume_LDADD = $(transfer_test_ldadd)
tests_unit_test_gate_put_fail_SOURCES = tests/unit/test_gate_put_fail.c tests/unit/put_rig.h $(transfer_fake)
tests_unit_test_gate_put_fail_CFLAGS = $(transfer_test_cflags)
tests_unit_test_gate_put_fail_LDFLAGS = $(transfer_test_ldflags)
tests_unit_test_gate_put_fail_LDADD = $(transfer_test_ldadd)
tests_unit_test_gate_put_store_SOURCES = tests/unit/test_gate_put_store.c tests/unit/put_rig.h $(transfer_fake)
tests_unit_test_gate_put_store_CFLAGS = $(transfer_test_cflags)
tests_unit_test_gate_put_store_LDFLAGS = $(transfer_test_ldflags)
tests_unit_test_gate_put_store_LDADD = $(transfer_test_ldadd)
tests_unit_test_gate_put_http_SOURCES = tests/unit/test_gate_put_http.c tests/unit/put_rig.h $(transfer_fake)
tests_unit_test_gate_put_http_CFLAGS = $(transfer_test_cflags)
tests_unit_test_gate_put_http_LDFLAGS = $(transfer_test_ldflags)
tests_unit_test_gate_put_http_LDADD = $(transfer_test_ldadd)
tests_unit_test_gate_put_random_SOURCES = tests/unit/test_gate_put_random.c tests/unit/put_rig.h $(transfer_fake)
tests_unit_test_gate_put_random_CFLAGS = $(transfer_test_cflags)
tests_unit_test_gate_put_random_LDFLAGS = $(transfer_test_ldflags)
tests_unit_test_gate_put_random_LDADD = $(transfer_test_ldadd)
tests_unit_test_gate_get_SOURCES = tests/unit/test_gate_get.c $(transfer_fake)
tests_unit_test_gate_get_CFLAGS = $(transfer_test_cflags)
tests_unit_test_gate_get_LDFLAGS = $(transfer_test_ldflags)
tests_unit_test_gate_get_LDADD = $(transfer_test_ldadd)
# How fast they are, to be run by hand.
check_PROGRAMS += tests/tools/transfer_speed
tests_tools_transfer_speed_SOURCES = tests/tools/transfer_speed.c $(transfer_fake)
tests_tools_transfer_speed_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBUV_CFLAGS)
tests_tools_transfer_speed_LDFLAGS = $(transfer_test_ldflags)
tests_tools_transfer_speed_LDADD = libgate.a libage.a libwire.a $(LIBUV_LIBS) $(base_LIBS)

# The conversation around them, against a keep that the test plays (gate_kit).
gate_test_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBUV_CFLAGS) $(LIBSSH_CFLAGS) $(CMOCKA_CFLAGS)
gate_test_LIBS = $(gate_LIBS) $(CMOCKA_LIBS)
gate_kit = tests/unit/gate_kit.c tests/unit/gate_kit.h $(base_kit)

UNIT_TESTS += tests/unit/test_gate_packet
tests_unit_test_gate_packet_SOURCES = tests/unit/test_gate_packet.c $(base_kit)
tests_unit_test_gate_packet_CFLAGS = $(gate_test_CFLAGS)
tests_unit_test_gate_packet_LDADD = $(gate_test_LIBS)

UNIT_TESTS += tests/unit/test_gate_path
tests_unit_test_gate_path_SOURCES = tests/unit/test_gate_path.c $(base_kit)
tests_unit_test_gate_path_CFLAGS = $(gate_test_CFLAGS)
tests_unit_test_gate_path_LDADD = $(gate_test_LIBS)

UNIT_TESTS += tests/unit/test_gate_attrs
tests_unit_test_gate_attrs_SOURCES = tests/unit/test_gate_attrs.c $(base_kit)
tests_unit_test_gate_attrs_CFLAGS = $(gate_test_CFLAGS)
tests_unit_test_gate_attrs_LDADD = $(gate_test_LIBS)

UNIT_TESTS += tests/unit/test_gate_policy
tests_unit_test_gate_policy_SOURCES = tests/unit/test_gate_policy.c $(base_kit)
tests_unit_test_gate_policy_CFLAGS = $(gate_test_CFLAGS)
tests_unit_test_gate_policy_LDADD = $(gate_test_LIBS)

UNIT_TESTS += tests/unit/test_gate_keeper
tests_unit_test_gate_keeper_SOURCES = tests/unit/test_gate_keeper.c $(gate_kit)
tests_unit_test_gate_keeper_CFLAGS = $(gate_test_CFLAGS)
tests_unit_test_gate_keeper_LDADD = $(gate_test_LIBS)

UNIT_TESTS += tests/unit/test_gate_talk
tests_unit_test_gate_talk_SOURCES = tests/unit/test_gate_talk.c tests/unit/talk_rig.h $(gate_kit)
tests_unit_test_gate_talk_CFLAGS = $(gate_test_CFLAGS)
tests_unit_test_gate_talk_LDADD = $(gate_test_LIBS)

UNIT_TESTS += tests/unit/test_gate_offset
tests_unit_test_gate_offset_SOURCES = tests/unit/test_gate_offset.c tests/unit/talk_rig.h $(gate_kit)
tests_unit_test_gate_offset_CFLAGS = $(gate_test_CFLAGS)
tests_unit_test_gate_offset_LDADD = $(gate_test_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_sftp_packet
TESTS += tests/fuzz/fuzz_sftp_packet
tests_fuzz_fuzz_sftp_packet_SOURCES = tests/fuzz/fuzz_sftp_packet.c tests/fuzz/replay.c
tests_fuzz_fuzz_sftp_packet_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBUV_CFLAGS)
tests_fuzz_fuzz_sftp_packet_LDADD = $(gate_LIBS)
EXTRA_DIST += tests/fuzz/corpus/fuzz_sftp_packet

# A keep in memory, to try the gate alone with real clients.
check_PROGRAMS += tests/tools/fakekeep
tests_tools_fakekeep_SOURCES = tests/tools/fakekeep.c
tests_tools_fakekeep_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_tools_fakekeep_LDADD = libwire.a $(base_LIBS)

# HTTP, as far as it is bytes.
UNIT_TESTS += tests/unit/test_gate_http_head tests/unit/test_gate_http_body \
	tests/unit/test_gate_http_socket tests/unit/test_gate_http_connection
http_test_CFLAGS = $(gate_test_CFLAGS) $(LLHTTP_CFLAGS)
tests_unit_test_gate_http_head_SOURCES = tests/unit/test_gate_http_head.c $(base_kit)
tests_unit_test_gate_http_head_CFLAGS = $(http_test_CFLAGS)
tests_unit_test_gate_http_head_LDADD = $(gate_test_LIBS)
tests_unit_test_gate_http_body_SOURCES = tests/unit/test_gate_http_body.c $(base_kit)
tests_unit_test_gate_http_body_CFLAGS = $(http_test_CFLAGS)
tests_unit_test_gate_http_body_LDADD = $(gate_test_LIBS)
tests_unit_test_gate_http_socket_SOURCES = tests/unit/test_gate_http_socket.c tests/unit/tls_kit.h $(base_kit)
tests_unit_test_gate_http_socket_CFLAGS = $(http_test_CFLAGS) $(TLS_CFLAGS)
tests_unit_test_gate_http_socket_LDADD = $(gate_test_LIBS)
tests_unit_test_gate_http_connection_SOURCES = tests/unit/test_gate_http_connection.c tests/unit/tls_kit.h $(base_kit)
tests_unit_test_gate_http_connection_CFLAGS = $(http_test_CFLAGS) $(TLS_CFLAGS)
tests_unit_test_gate_http_connection_LDADD = $(gate_test_LIBS)

# What stands in the fields and the path of a request.
HTTP_FIELD_TESTS = tests/unit/test_gate_http_date tests/unit/test_gate_http_condition \
	tests/unit/test_gate_http_path tests/unit/test_gate_http_tus \
	tests/unit/test_gate_http_log_words
UNIT_TESTS += $(HTTP_FIELD_TESTS)
http_field_kit = tests/unit/http_kit.h $(base_kit)
tests_unit_test_gate_http_date_SOURCES = tests/unit/test_gate_http_date.c $(http_field_kit)
tests_unit_test_gate_http_date_CFLAGS = $(http_test_CFLAGS)
tests_unit_test_gate_http_date_LDADD = $(gate_test_LIBS)
tests_unit_test_gate_http_condition_SOURCES = tests/unit/test_gate_http_condition.c $(http_field_kit)
tests_unit_test_gate_http_condition_CFLAGS = $(http_test_CFLAGS)
tests_unit_test_gate_http_condition_LDADD = $(gate_test_LIBS)
tests_unit_test_gate_http_path_SOURCES = tests/unit/test_gate_http_path.c $(http_field_kit)
tests_unit_test_gate_http_path_CFLAGS = $(http_test_CFLAGS)
tests_unit_test_gate_http_path_LDADD = $(gate_test_LIBS)
tests_unit_test_gate_http_log_words_SOURCES = tests/unit/test_gate_http_log_words.c $(http_field_kit)
tests_unit_test_gate_http_log_words_CFLAGS = $(http_test_CFLAGS)
tests_unit_test_gate_http_log_words_LDADD = $(gate_test_LIBS)
tests_unit_test_gate_http_tus_SOURCES = tests/unit/test_gate_http_tus.c $(http_field_kit)
tests_unit_test_gate_http_tus_CFLAGS = $(http_test_CFLAGS)
tests_unit_test_gate_http_tus_LDADD = $(gate_test_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_http_log_words
TESTS += tests/fuzz/fuzz_http_log_words
tests_fuzz_fuzz_http_log_words_SOURCES = tests/fuzz/fuzz_http_log_words.c tests/fuzz/replay.c
tests_fuzz_fuzz_http_log_words_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBUV_CFLAGS)
tests_fuzz_fuzz_http_log_words_LDADD = libtlog.a $(gate_LIBS)
EXTRA_DIST += tests/fuzz/corpus/fuzz_http_log_words
http_fuzzers = tests/fuzz/fuzz_http_request tests/fuzz/fuzz_http_path tests/fuzz/fuzz_http_fields
check_PROGRAMS += $(http_fuzzers)
TESTS += $(http_fuzzers)
tests_fuzz_fuzz_http_request_SOURCES = tests/fuzz/fuzz_http_request.c tests/fuzz/replay.c
tests_fuzz_fuzz_http_request_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBUV_CFLAGS) $(LLHTTP_CFLAGS)
tests_fuzz_fuzz_http_request_LDADD = $(gate_LIBS)
tests_fuzz_fuzz_http_path_SOURCES = tests/fuzz/fuzz_http_path.c tests/fuzz/replay.c
tests_fuzz_fuzz_http_path_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fuzz_fuzz_http_path_LDADD = $(gate_LIBS)
tests_fuzz_fuzz_http_fields_SOURCES = tests/fuzz/fuzz_http_fields.c tests/fuzz/replay.c
tests_fuzz_fuzz_http_fields_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBUV_CFLAGS) $(LLHTTP_CFLAGS)
tests_fuzz_fuzz_http_fields_LDADD = $(gate_LIBS)
EXTRA_DIST += tests/fuzz/corpus/fuzz_http_request tests/fuzz/corpus/fuzz_http_path \
	tests/fuzz/corpus/fuzz_http_fields
