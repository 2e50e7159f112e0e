# SPDX-License-Identifier: Apache-2.0

# The keep's storage: keys and catalog.
KEEP_STORAGE_TESTS = \
	tests/unit/test_keep_keys \
	tests/unit/test_keep_catalog \
	tests/unit/test_keep_catalog_rows \
	tests/unit/test_keep_catalog_accounts \
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

tests_unit_test_keep_catalog_accounts_SOURCES = tests/unit/test_keep_catalog_accounts.c $(keep_catalog_kit)
tests_unit_test_keep_catalog_accounts_CFLAGS = $(keep_storage_test_CFLAGS)
tests_unit_test_keep_catalog_accounts_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_catalog_shred_SOURCES = tests/unit/test_keep_catalog_shred.c $(keep_catalog_kit)
tests_unit_test_keep_catalog_shred_CFLAGS = $(keep_storage_test_CFLAGS)
tests_unit_test_keep_catalog_shred_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

# Rights, accounts and the tree, on a real catalog with real keys.
KEEP_TREE_TESTS = \
	tests/unit/test_keep_access \
	tests/unit/test_keep_ssh_key \
	tests/unit/test_keep_networks \
	tests/unit/test_keep_accounts \
	tests/unit/test_keep_tree \
	tests/unit/test_keep_tree_change \
	tests/unit/test_keep_tree_pages \
	tests/unit/test_keep_tree_rename
UNIT_TESTS += $(KEEP_TREE_TESTS)

keep_world = tests/unit/keep_world.c tests/unit/keep_world.h
keep_tree_kit = $(keep_world) tests/unit/tree_kit.c tests/unit/tree_kit.h
keep_tree_test_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(CMOCKA_CFLAGS)

tests_unit_test_keep_access_SOURCES = tests/unit/test_keep_access.c
tests_unit_test_keep_access_CFLAGS = $(keep_tree_test_CFLAGS)
tests_unit_test_keep_access_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_ssh_key_SOURCES = tests/unit/test_keep_ssh_key.c
tests_unit_test_keep_ssh_key_CFLAGS = $(keep_tree_test_CFLAGS)
tests_unit_test_keep_ssh_key_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_networks_SOURCES = tests/unit/test_keep_networks.c tests/unit/base_kit.h
tests_unit_test_keep_networks_CFLAGS = $(keep_tree_test_CFLAGS)
tests_unit_test_keep_networks_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_accounts_SOURCES = tests/unit/test_keep_accounts.c $(keep_world)
tests_unit_test_keep_accounts_CFLAGS = $(keep_tree_test_CFLAGS)
tests_unit_test_keep_accounts_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_tree_SOURCES = tests/unit/test_keep_tree.c $(keep_world)
tests_unit_test_keep_tree_CFLAGS = $(keep_tree_test_CFLAGS)
tests_unit_test_keep_tree_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_tree_change_SOURCES = tests/unit/test_keep_tree_change.c $(keep_tree_kit)
tests_unit_test_keep_tree_change_CFLAGS = $(keep_tree_test_CFLAGS)
tests_unit_test_keep_tree_change_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_tree_pages_SOURCES = tests/unit/test_keep_tree_pages.c $(keep_tree_kit)
tests_unit_test_keep_tree_pages_CFLAGS = $(keep_tree_test_CFLAGS)
tests_unit_test_keep_tree_pages_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_tree_rename_SOURCES = tests/unit/test_keep_tree_rename.c $(keep_tree_kit)
tests_unit_test_keep_tree_rename_CFLAGS = $(keep_tree_test_CFLAGS)
tests_unit_test_keep_tree_rename_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_path tests/fuzz/fuzz_ssh_key tests/fuzz/fuzz_networks
TESTS += tests/fuzz/fuzz_path tests/fuzz/fuzz_ssh_key tests/fuzz/fuzz_networks
tests_fuzz_fuzz_path_SOURCES = tests/fuzz/fuzz_path.c tests/fuzz/replay.c
tests_fuzz_fuzz_path_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fuzz_fuzz_path_LDADD = $(keep_LIBS)
tests_fuzz_fuzz_ssh_key_SOURCES = tests/fuzz/fuzz_ssh_key.c tests/fuzz/replay.c
tests_fuzz_fuzz_ssh_key_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fuzz_fuzz_ssh_key_LDADD = $(keep_LIBS)
tests_fuzz_fuzz_networks_SOURCES = tests/fuzz/fuzz_networks.c tests/fuzz/replay.c
tests_fuzz_fuzz_networks_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fuzz_fuzz_networks_LDADD = $(keep_LIBS)
EXTRA_DIST += tests/fuzz/corpus/fuzz_path tests/fuzz/corpus/fuzz_ssh_key \
	tests/fuzz/corpus/fuzz_networks

# The log, blobs, and a keep that is driven in process.
KEEP_LIVE_TESTS = \
	tests/unit/test_keep_lines \
	tests/unit/test_keep_trail \
	tests/unit/test_keep_record \
	tests/unit/test_keep_host_key \
	tests/unit/test_keep_blobs \
	tests/unit/test_keep_sealed_blob \
	tests/unit/test_keep_resume \
	tests/unit/test_keep_init \
	tests/unit/test_keep_audit \
	tests/unit/test_keep_deeds \
	tests/unit/test_keep_asks \
	tests/unit/test_keep_knock \
	tests/unit/test_keep_puts \
	tests/unit/test_keep_tickets \
	tests/unit/test_keep_log \
	tests/unit/test_keep_room \
	tests/unit/test_keep_leases \
	tests/unit/test_keep_tiny \
	tests/unit/test_keep_time_guard \
	tests/unit/test_keep_expiry \
	tests/unit/test_keep_recover \
	tests/unit/test_keep_migrate \
	tests/unit/test_keep_control
UNIT_TESTS += $(KEEP_LIVE_TESTS)

keep_live = $(keep_kit) tests/unit/keep_live.c tests/unit/keep_live.h
keep_live_test_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LIBUV_CFLAGS) $(JANSSON_CFLAGS) $(CMOCKA_CFLAGS)

tests_unit_test_keep_lines_SOURCES = tests/unit/test_keep_lines.c $(keep_kit)
tests_unit_test_keep_lines_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_lines_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_trail_SOURCES = tests/unit/test_keep_trail.c $(keep_kit)
tests_unit_test_keep_trail_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_trail_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_record_SOURCES = tests/unit/test_keep_record.c $(keep_kit)
tests_unit_test_keep_record_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_record_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_host_key_SOURCES = tests/unit/test_keep_host_key.c $(keep_kit)
tests_unit_test_keep_host_key_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_host_key_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_blobs_SOURCES = tests/unit/test_keep_blobs.c $(keep_kit)
tests_unit_test_keep_blobs_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_blobs_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sys_sync
tests_unit_test_keep_blobs_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_sealed_blob_SOURCES = tests/unit/test_keep_sealed_blob.c $(keep_kit)
tests_unit_test_keep_sealed_blob_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_sealed_blob_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_resume_SOURCES = tests/unit/test_keep_resume.c $(keep_kit)
tests_unit_test_keep_resume_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_resume_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_audit_SOURCES = tests/unit/test_keep_audit.c $(keep_live)
tests_unit_test_keep_audit_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_audit_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

keep_asks = $(keep_live) tests/unit/keep_asks.c tests/unit/keep_asks.h
tests_unit_test_keep_asks_SOURCES = tests/unit/test_keep_asks.c $(keep_asks)
tests_unit_test_keep_asks_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_asks_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_knock_SOURCES = tests/unit/test_keep_knock.c $(keep_asks)
tests_unit_test_keep_knock_CFLAGS = $(keep_live_test_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_keep_knock_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_puts_SOURCES = tests/unit/test_keep_puts.c $(keep_asks)
tests_unit_test_keep_puts_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_puts_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_tickets_SOURCES = tests/unit/test_keep_tickets.c $(keep_asks)
tests_unit_test_keep_tickets_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_tickets_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_log_SOURCES = tests/unit/test_keep_log.c $(keep_asks)
tests_unit_test_keep_log_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_log_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_room_SOURCES = tests/unit/test_keep_room.c $(keep_asks)
tests_unit_test_keep_room_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_room_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fstatvfs,--wrap=posix_fallocate
tests_unit_test_keep_room_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_recover_SOURCES = tests/unit/test_keep_recover.c $(keep_asks)
tests_unit_test_keep_recover_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_recover_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_migrate_SOURCES = tests/unit/test_keep_migrate.c $(keep_asks)
tests_unit_test_keep_migrate_CFLAGS = $(keep_live_test_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_keep_migrate_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_deeds_SOURCES = tests/unit/test_keep_deeds.c $(keep_live)
tests_unit_test_keep_deeds_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_deeds_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_control_SOURCES = tests/unit/test_keep_control.c tests/unit/keep_operator.c tests/unit/keep_operator.h $(keep_asks)
tests_unit_test_keep_control_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_control_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_init_SOURCES = tests/unit/test_keep_init.c $(keep_kit)
tests_unit_test_keep_init_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_init_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_tiny_SOURCES = tests/unit/test_keep_tiny.c $(keep_asks)
tests_unit_test_keep_tiny_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_tiny_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_time_guard_SOURCES = tests/unit/test_keep_time_guard.c
tests_unit_test_keep_time_guard_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_time_guard_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_expiry_SOURCES = tests/unit/test_keep_expiry.c tests/unit/keep_operator.c tests/unit/keep_operator.h $(keep_asks)
tests_unit_test_keep_expiry_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_expiry_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_utc_us,--wrap=clock_boot_us
tests_unit_test_keep_expiry_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keep_leases_SOURCES = tests/unit/test_keep_leases.c $(keep_asks)
tests_unit_test_keep_leases_CFLAGS = $(keep_live_test_CFLAGS)
tests_unit_test_keep_leases_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)

# All of it behind one link, as a gate may speak.
if HAVE_CMOCKA
check_PROGRAMS += tests/fuzz/fuzz_keep_asks
TESTS += tests/fuzz/fuzz_keep_asks
endif
tests_fuzz_fuzz_keep_asks_SOURCES = tests/fuzz/fuzz_keep_asks.c tests/fuzz/replay.c $(keep_asks)
tests_fuzz_fuzz_keep_asks_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_fuzz_fuzz_keep_asks_CFLAGS = $(keep_live_test_CFLAGS)
tests_fuzz_fuzz_keep_asks_LDADD = $(keep_LIBS) $(CMOCKA_LIBS)
EXTRA_DIST += tests/fuzz/corpus/fuzz_keep_asks
