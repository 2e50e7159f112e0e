/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>

#include "base/text.h"
#include "daemon/keep/gcm.h"
#include "daemon/keep/keys.h"
#include "daemon/keep/siv.h"
#include "keep_kit.h"

#define MASTER "keys/master.key"
#define LOG    "keys/log.key"

static struct keys *made_keys(const struct kit *kit)
{
	struct keys *k = NULL;

	assert_good(keys_create(kit->fd, KEYS_MASTER_FILE));
	assert_good(keys_load(kit->fd, KEYS_MASTER_FILE, &k));
	return k;
}

static void replace(const struct kit *kit, const char *name, const char *text, size_t len)
{
	assert_int_equal(unlinkat(kit->fd, name, 0), 0);
	assert_good(sys_replace_file(kit->fd, name, 0400, view_of(text, len)));
}

static void read_text(const struct kit *kit, const char *name, struct buf *out)
{
	assert_good(sys_read_file(kit->fd, name, 4096, out));
}

/* ---- key files ---- */

static void create_in_empty_folder_writes_two_private_files(void **state)
{
	static const struct {
		const char *name;
		size_t digits;
	} files[] = {{MASTER, 64}, {LOG, 120}};
	const struct kit *kit = *state;

	assert_good(keys_create(kit->fd, KEYS_MASTER_FILE));
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		CLEANUP(buf_done) struct buf text = {0};
		struct stat st;
		assert_int_equal(fstatat(kit->fd, files[i].name, &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0400);
		read_text(kit, files[i].name, &text);
		assert_int_equal(text.len, files[i].digits + 1);
		for (size_t at = 0; at < files[i].digits; at++)
			assert_non_null(memchr("0123456789abcdef", text.data[at], 16));
		assert_int_equal(text.data[files[i].digits], '\n');
	}
	assert_int_not_equal(faccessat(kit->fd, MASTER ".new", F_OK, 0), 0);
	assert_int_not_equal(faccessat(kit->fd, LOG ".new", F_OK, 0), 0);
}

static void create_where_either_is_there_is_refused_and_changes_nothing(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(buf_done) struct buf before = {0}, after = {0};

	assert_good(keys_create(kit->fd, KEYS_MASTER_FILE));
	read_text(kit, MASTER, &before);
	assert_refused(keys_create(kit->fd, KEYS_MASTER_FILE), E_EXISTS);
	assert_int_equal(unlinkat(kit->fd, LOG, 0), 0);
	assert_refused(keys_create(kit->fd, KEYS_MASTER_FILE), E_EXISTS);
	read_text(kit, MASTER, &after);
	assert_true(view_equal(view_buf(&before), view_buf(&after)));
	assert_int_not_equal(faccessat(kit->fd, LOG, F_OK, 0), 0);
	replace(kit, MASTER, "x", 1);
	assert_int_equal(renameat(kit->fd, MASTER, kit->fd, LOG), 0);
	assert_refused(keys_create(kit->fd, KEYS_MASTER_FILE), E_EXISTS);
	assert_int_equal(unlinkat(kit->fd, LOG, 0), 0);
	assert_int_equal(symlinkat("nowhere", kit->fd, MASTER), 0);
	assert_refused(keys_create(kit->fd, KEYS_MASTER_FILE), E_EXISTS);
}

static void create_that_fails_half_way_leaves_nothing(void **state)
{
	const struct kit *kit = *state;

	/* The log's key is written first; a folder stands where the master key's would be. */
	assert_int_equal(mkdirat(kit->fd, MASTER ".new", 0700), 0);
	assert_refused(keys_create(kit->fd, KEYS_MASTER_FILE), E_IO);
	assert_int_not_equal(faccessat(kit->fd, LOG, F_OK, 0), 0);
	assert_int_not_equal(faccessat(kit->fd, MASTER, F_OK, 0), 0);
	assert_int_equal(unlinkat(kit->fd, MASTER ".new", AT_REMOVEDIR), 0);
	assert_good(keys_create(kit->fd, KEYS_MASTER_FILE));
	assert_int_equal(unlinkat(kit->fd, MASTER, 0), 0);
	assert_int_equal(unlinkat(kit->fd, LOG, 0), 0);
	assert_int_equal(unlinkat(kit->fd, "keys", AT_REMOVEDIR), 0);
	assert_refused(keys_create(kit->fd, KEYS_MASTER_FILE), E_GONE);
}

static void load_twice_gives_the_same_keys(void **state)
{
	CLEANUP(keys_free) struct keys *one = made_keys(*state), *two = NULL;
	CLEANUP(buf_done) struct buf sealed = {0};
	CLEANUP(secret_free) struct secret *plain = NULL;
	const struct kit *kit = *state;

	assert_good(keys_load(kit->fd, KEYS_MASTER_FILE, &two));
	assert_int_equal(secret_view(keys_log(one)).len, 32);
	assert_true(view_equal(secret_view(keys_log(one)), secret_view(keys_log(two))));
	assert_good(keys_seal(one, NULL, "test", view_of(NULL, 0), view_text("treasure"), &sealed));
	assert_good(keys_open(two, NULL, "test", view_of(NULL, 0), view_buf(&sealed), &plain));
	assert_true(view_is(secret_view(plain), "treasure"));
}

static void create_twice_gives_different_keys(void **state)
{
	CLEANUP(keys_free) struct keys *one = made_keys(*state), *two = NULL;
	CLEANUP(buf_done) struct buf sealed = {0};
	struct secret *plain = NULL;
	const struct kit *kit = *state;

	assert_good(keys_seal(one, NULL, "test", view_of(NULL, 0), view_text("treasure"), &sealed));
	assert_int_equal(unlinkat(kit->fd, MASTER, 0), 0);
	assert_int_equal(unlinkat(kit->fd, LOG, 0), 0);
	two = made_keys(kit);
	assert_false(view_equal(secret_view(keys_log(one)), secret_view(keys_log(two))));
	assert_refused(keys_open(two, NULL, "test", view_of(NULL, 0), view_buf(&sealed), &plain),
		       E_INTEGRITY);
	assert_null(plain);
}

static void load_without_a_file_says_gone(void **state)
{
	const struct kit *kit = *state;
	struct keys *k = NULL;

	assert_refused(keys_load(kit->fd, KEYS_MASTER_FILE, &k), E_GONE);
	assert_good(keys_create(kit->fd, KEYS_MASTER_FILE));
	assert_int_equal(unlinkat(kit->fd, LOG, 0), 0);
	assert_refused(keys_load(kit->fd, KEYS_MASTER_FILE, &k), E_GONE);
	assert_null(k);
}

static void load_of_file_that_others_may_use_is_refused(void **state)
{
	static const mode_t refused[] = {0440, 0404, 0420, 0402, 0410, 0401, 0640, 0644, 0777};
	static const mode_t fine[] = {0400, 0600, 0700};
	static const char *const files[] = {MASTER, LOG};
	const struct kit *kit = *state;
	struct keys *k = NULL;

	assert_good(keys_create(kit->fd, KEYS_MASTER_FILE));
	for (size_t f = 0; f < ARRAY_LEN(files); f++) {
		for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
			assert_int_equal(fchmodat(kit->fd, files[f], refused[i], 0), 0);
			assert_int_equal(keys_load(kit->fd, KEYS_MASTER_FILE, &k), E_CONFIG);
			assert_non_null(strstr(err_text(), files[f]));
			assert_non_null(strstr(err_text(), "chmod 0400"));
			err_clear();
		}
		for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
			assert_int_equal(fchmodat(kit->fd, files[f], fine[i], 0), 0);
			assert_good(keys_load(kit->fd, KEYS_MASTER_FILE, &k));
			keys_free(&k);
		}
	}
}

static void load_of_malformed_file_is_refused(void **state)
{
	static const char *const files[] = {MASTER, LOG};
	const struct kit *kit = *state;
	struct keys *k = NULL;

	assert_good(keys_create(kit->fd, KEYS_MASTER_FILE));
	for (size_t f = 0; f < ARRAY_LEN(files); f++) {
		CLEANUP(buf_done) struct buf good = {0};
		char bad[256];
		read_text(kit, files[f], &good);
		size_t n = good.len;
		assert_true(n + 1 < sizeof bad);
		for (size_t cut = 0; cut < n; cut++) { /* every proper beginning */
			replace(kit, files[f], (char *)good.data, cut);
			assert_refused(keys_load(kit->fd, KEYS_MASTER_FILE, &k), E_CONFIG);
		}
		for (unsigned change = 0; change < 6; change++) {
			memcpy(bad, good.data, n);
			bad[n] = '\n';
			size_t len = n;
			switch (change) {
			case 0: /* something behind it */
				len = n + 1;
				break;
			case 1:
				bad[n - 1] = '\r';
				break;
			case 2:
				bad[3] = 'A';
				break;
			case 3:
				bad[0] = ' ';
				break;
			case 4:
				bad[n - 2] = '\0';
				break;
			default:
				memmove(bad + 1, bad, n);
				bad[0] = '0';
				len = n + 1;
			}
			replace(kit, files[f], bad, len);
			assert_refused(keys_load(kit->fd, KEYS_MASTER_FILE, &k), E_CONFIG);
		}
		replace(kit, files[f], (char *)good.data, n);
		assert_good(keys_load(kit->fd, KEYS_MASTER_FILE, &k));
		keys_free(&k);
	}
}

static void load_of_fifo_or_folder_is_refused_at_once(void **state)
{
	const struct kit *kit = *state;
	struct keys *k = NULL;

	assert_int_equal(mkfifoat(kit->fd, MASTER, 0400), 0);
	assert_refused(keys_load(kit->fd, KEYS_MASTER_FILE, &k), E_CONFIG);
	assert_int_equal(unlinkat(kit->fd, MASTER, 0), 0);
	assert_int_equal(mkdirat(kit->fd, MASTER, 0700), 0);
	assert_refused(keys_load(kit->fd, KEYS_MASTER_FILE, &k), E_CONFIG);
}

static void load_of_log_key_under_another_master_key_is_refused(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(buf_done) struct buf good = {0}, text = {0};
	struct keys *k = NULL;

	assert_good(keys_create(kit->fd, KEYS_MASTER_FILE));
	read_text(kit, MASTER, &good);
	assert_good(buf_add(&text, good.data, good.len));
	text.data[63] = text.data[63] == '0' ? '1' : '0';
	replace(kit, MASTER, (char *)text.data, text.len);
	assert_refused(keys_load(kit->fd, KEYS_MASTER_FILE, &k), E_INTEGRITY);
	replace(kit, MASTER, (char *)good.data, good.len);
	buf_clear(&good);
	read_text(kit, LOG, &good);
	for (size_t i = 0; i < good.len - 1; i += 7) {
		uint8_t was = good.data[i];
		good.data[i] = was == '0' ? '1' : '0';
		replace(kit, LOG, (char *)good.data, good.len);
		assert_refused(keys_load(kit->fd, KEYS_MASTER_FILE, &k), E_INTEGRITY);
		good.data[i] = was;
	}
	assert_null(k);
}

static void store_of_log_key_is_not_in_clear(void **state)
{
	CLEANUP(keys_free) struct keys *k = made_keys(*state);
	struct view seed = secret_view(keys_log(k));
	char digits[65];

	hex_encode(seed.data, seed.len, digits);
	assert_false(kit_file_has(*state, LOG, view_text(digits)));
	assert_false(kit_file_has(*state, LOG, seed));
	assert_false(kit_file_has(*state, MASTER, view_text(digits)));
}

/* ---- sealed values ---- */

static void open_what_was_sealed_gives_it_back(void **state)
{
	static const size_t sizes[] = {0, 1, 12, 15, 16, 17, 28, 32, 255, 4096, 100000};
	CLEANUP(keys_free) struct keys *k = made_keys(*state);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		CLEANUP(mem_free) uint8_t *plain = mem_new(sizes[i] + 1);
		CLEANUP(buf_done) struct buf out = {0};
		CLEANUP(secret_free) struct secret *opened = NULL;
		assert_good(random_bytes(plain, sizes[i] + 1));
		assert_good(buf_add_text(&out, "front"));
		assert_good(
		    keys_seal(k, NULL, "test", view_text("about"), view_of(plain, sizes[i]), &out));
		assert_int_equal(out.len, 5 + sizes[i] + GCM_EXTRA);
		assert_memory_equal(out.data, "front", 5);
		uint8_t *exact = kit_exact(view_of(out.data + 5, out.len - 5));
		assert_good(keys_open(k, NULL, "test", view_text("about"),
				      view_of(exact, out.len - 5), &opened));
		assert_true(view_equal(secret_view(opened), view_of(plain, sizes[i])));
		free(exact);
	}
}

static void seal_twice_gives_two_values(void **state)
{
	CLEANUP(keys_free) struct keys *k = made_keys(*state);
	CLEANUP(buf_done) struct buf one = {0}, two = {0};

	assert_good(keys_seal(k, NULL, "test", view_of(NULL, 0), view_text("same"), &one));
	assert_good(keys_seal(k, NULL, "test", view_of(NULL, 0), view_text("same"), &two));
	assert_memory_not_equal(one.data, two.data, GCM_NONCE);
	assert_memory_not_equal(one.data + GCM_NONCE, two.data + GCM_NONCE, 4);
}

static void open_of_any_other_bytes_is_refused(void **state)
{
	CLEANUP(keys_free) struct keys *k = made_keys(*state);
	CLEANUP(buf_done) struct buf sealed = {0};
	struct secret *plain = NULL;
	struct view about = view_text("about");

	assert_good(keys_seal(k, NULL, "test", about, view_text("treasure"), &sealed));
	for (size_t bit = 0; bit < sealed.len * 8; bit++) {
		uint8_t mask = (uint8_t)(1 << bit % 8);
		sealed.data[bit / 8] ^= mask;
		assert_refused(keys_open(k, NULL, "test", about, view_buf(&sealed), &plain),
			       E_INTEGRITY);
		sealed.data[bit / 8] ^= mask;
	}
	for (size_t len = 0; len < sealed.len; len++) {
		uint8_t *exact = kit_exact(view_of(sealed.data, len));
		assert_refused(keys_open(k, NULL, "test", about, view_of(exact, len), &plain),
			       E_INTEGRITY);
		free(exact);
	}
	assert_good(buf_add(&sealed, "", 1));
	assert_refused(keys_open(k, NULL, "test", about, view_buf(&sealed), &plain), E_INTEGRITY);
	assert_null(plain);
}

static void open_under_other_parent_purpose_or_about_is_refused(void **state)
{
	CLEANUP(keys_free) struct keys *k = made_keys(*state);
	CLEANUP(secret_free) struct secret *parent = NULL, *other = NULL, *plain = NULL;
	CLEANUP(buf_done) struct buf sealed = {0};
	struct view none = view_of(NULL, 0), about = view_text("a");

	assert_good(secret_random(32, &parent));
	assert_good(secret_random(32, &other));
	assert_good(keys_seal(k, parent, "test", about, view_text("treasure"), &sealed));
	struct view v = view_buf(&sealed);
	assert_refused(keys_open(k, NULL, "test", about, v, &plain), E_INTEGRITY);
	assert_refused(keys_open(k, other, "test", about, v, &plain), E_INTEGRITY);
	assert_refused(keys_open(k, parent, "tess", about, v, &plain), E_INTEGRITY);
	assert_refused(keys_open(k, parent, "test", none, v, &plain), E_INTEGRITY);
	assert_refused(keys_open(k, parent, "test", view_text("ab"), v, &plain), E_INTEGRITY);
	assert_null(plain);
	assert_good(keys_open(k, parent, "test", about, v, &plain));
}

/* McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test case 16. */
static void open_published_gcm_vector_gives_its_plaintext(void **state)
{
	static const char key_hex[] =
	    "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
	static const char about_hex[] = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
	static const char sealed_hex[] =
	    "cafebabefacedbaddecaf888"
	    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	    "76fc6ece0f4e1768cddf8853bb2d551b";
	static const char plain_hex[] =
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
	uint8_t key_bytes[32], about[20], sealed[12 + 60 + 16], plain[60];
	CLEANUP(secret_free) struct secret *key = NULL, *opened = NULL;

	(void)state;
	assert_good(hex_decode(view_text(key_hex), key_bytes, sizeof key_bytes));
	assert_good(hex_decode(view_text(about_hex), about, sizeof about));
	assert_good(hex_decode(view_text(sealed_hex), sealed, sizeof sealed));
	assert_good(hex_decode(view_text(plain_hex), plain, sizeof plain));
	assert_good(secret_copy(key_bytes, sizeof key_bytes, &key));
	assert_good(
	    gcm_open(key, view_of(about, sizeof about), view_of(sealed, sizeof sealed), &opened));
	assert_true(view_equal(secret_view(opened), view_of(plain, sizeof plain)));
}

/* ---- zones ---- */

static void unwrap_gives_the_zone_that_was_made(void **state)
{
	CLEANUP(keys_free) struct keys *k = made_keys(*state);
	CLEANUP(zone_keys_unref) struct zone_keys *made = NULL, *got = NULL;
	CLEANUP(buf_done) struct buf wrapped = {0}, name = {0};
	struct age_recipient recipient;

	assert_good(zone_keys_create(k, 7, &wrapped, &made));
	assert_true(wrapped.len <= 256);
	assert_good(zone_keys_unwrap(k, 7, view_buf(&wrapped), &got));
	assert_true(view_equal(secret_view(zone_keys_identity(made)),
			       secret_view(zone_keys_identity(got))));
	assert_true(
	    view_equal(secret_view(zone_keys_data(made)), secret_view(zone_keys_data(got))));
	assert_memory_equal(zone_keys_recipient(made), zone_keys_recipient(got), sizeof recipient);
	assert_good(age_identity_recipient(zone_keys_identity(got), &recipient));
	assert_memory_equal(&recipient, zone_keys_recipient(got), sizeof recipient);
	assert_good(zone_keys_seal_name(made, 1, view_text("n"), &name));
	struct buf plain = {0};
	assert_good(zone_keys_open_name(got, 1, view_buf(&name), &plain));
	assert_true(view_is(view_buf(&plain), "n"));
	buf_done(&plain);
	assert_null(
	    memmem(wrapped.data, wrapped.len, secret_view(zone_keys_identity(made)).data, 8));
}

static void unwrap_of_swapped_altered_or_cut_secret_is_refused(void **state)
{
	CLEANUP(keys_free) struct keys *k = made_keys(*state);
	CLEANUP(zone_keys_unref) struct zone_keys *one = NULL, *two = NULL;
	CLEANUP(buf_done) struct buf wrapped = {0}, other = {0};
	struct zone_keys *got = NULL;

	assert_good(zone_keys_create(k, 1, &wrapped, &one));
	assert_good(zone_keys_create(k, 2, &other, &two));
	assert_refused(zone_keys_unwrap(k, 2, view_buf(&wrapped), &got), E_INTEGRITY);
	assert_refused(zone_keys_unwrap(k, 1, view_buf(&other), &got), E_INTEGRITY);
	assert_refused(zone_keys_unwrap(k, 1ULL << 32, view_buf(&wrapped), &got), E_INTEGRITY);
	for (size_t i = 0; i < wrapped.len; i++) {
		wrapped.data[i] ^= 1;
		assert_refused(zone_keys_unwrap(k, 1, view_buf(&wrapped), &got), E_INTEGRITY);
		wrapped.data[i] ^= 1;
		uint8_t *exact = kit_exact(view_of(wrapped.data, i));
		assert_refused(zone_keys_unwrap(k, 1, view_of(exact, i), &got), E_INTEGRITY);
		free(exact);
	}
	assert_null(got);
}

static void unwrap_of_secret_of_unknown_form_is_refused(void **state)
{
	CLEANUP(keys_free) struct keys *k = made_keys(*state);
	static const uint8_t about[8] = {0, 0, 0, 0, 0, 0, 0, 9};
	uint8_t secret[130] = {0};
	struct zone_keys *got = NULL;

	for (size_t len = 0; len <= sizeof secret; len++) {
		for (uint8_t version = 0; version < 3; version++) {
			CLEANUP(buf_done) struct buf wrapped = {0};
			memset(secret, 0x42, sizeof secret);
			secret[0] = version;
			assert_good(keys_seal(k, NULL, "dropkeep zone wrap v1",
					      view_of(about, sizeof about), view_of(secret, len),
					      &wrapped));
			int rc = zone_keys_unwrap(k, 9, view_buf(&wrapped), &got);
			assert_int_equal(rc, len == 129 && version == 1 ? 0 : E_INTEGRITY);
			zone_keys_unref(&got);
			err_clear();
		}
	}
}

static void *ref_and_unref(void *arg)
{
	struct zone_keys *z = arg;

	for (int i = 0; i < 20000; i++) {
		struct zone_keys *mine = zone_keys_ref(z);
		zone_keys_unref(&mine);
	}
	zone_keys_unref(&z); /* the one that was taken for this thread */
	return NULL;
}

static void unref_on_threads_frees_once_and_last(void **state)
{
	CLEANUP(keys_free) struct keys *k = made_keys(*state);
	CLEANUP(zone_keys_unref) struct zone_keys *z = NULL;
	CLEANUP(buf_done) struct buf wrapped = {0};
	pthread_t thread[2];

	assert_good(zone_keys_create(k, 1, &wrapped, &z));
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, ref_and_unref, zone_keys_ref(z)),
				 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(secret_view(zone_keys_data(z)).len, 32);
}

/* ---- names ---- */

static void seal_name_twice_gives_one_value(void **state)
{
	CLEANUP(keys_free) struct keys *k = made_keys(*state);
	CLEANUP(zone_keys_unref) struct zone_keys *z = NULL;
	CLEANUP(buf_done) struct buf wrapped = {0};
	uint8_t name[255];

	assert_good(zone_keys_create(k, 1, &wrapped, &z));
	assert_good(random_bytes(name, sizeof name));
	for (size_t len = 1; len <= sizeof name; len++) {
		CLEANUP(buf_done) struct buf one = {0}, two = {0}, plain = {0};
		uint8_t *exact = kit_exact(view_of(name, len));
		assert_good(zone_keys_seal_name(z, 5, view_of(exact, len), &one));
		assert_good(zone_keys_seal_name(z, 5, view_of(exact, len), &two));
		free(exact);
		assert_int_equal(one.len, len + SIV_TAG);
		assert_true(view_equal(view_buf(&one), view_buf(&two)));
		exact = kit_exact(view_buf(&one));
		assert_good(buf_add_text(&plain, "front"));
		assert_good(zone_keys_open_name(z, 5, view_of(exact, one.len), &plain));
		free(exact);
		assert_int_equal(plain.len, 5 + len);
		assert_memory_equal(plain.data, "front", 5);
		assert_memory_equal(plain.data + 5, name, len);
	}
}

static void open_name_of_other_folder_or_zone_is_refused(void **state)
{
	CLEANUP(keys_free) struct keys *k = made_keys(*state);
	CLEANUP(zone_keys_unref) struct zone_keys *z = NULL, *y = NULL;
	CLEANUP(buf_done) struct buf wrapped = {0}, sealed = {0}, other = {0}, out = {0};

	assert_good(zone_keys_create(k, 1, &wrapped, &z));
	assert_good(zone_keys_create(k, 2, &wrapped, &y));
	assert_good(zone_keys_seal_name(z, 5, view_text("name"), &sealed));
	assert_good(zone_keys_seal_name(z, 6, view_text("name"), &other));
	assert_false(view_equal(view_buf(&sealed), view_buf(&other)));
	struct view v = view_buf(&sealed);
	assert_refused(zone_keys_open_name(z, 6, v, &out), E_INTEGRITY);
	assert_refused(zone_keys_open_name(z, 0, v, &out), E_INTEGRITY);
	assert_refused(zone_keys_open_name(z, 5ULL << 56, v, &out), E_INTEGRITY);
	assert_refused(zone_keys_open_name(y, 5, v, &out), E_INTEGRITY);
	assert_int_equal(out.len, 0);
}

static void open_name_of_any_other_bytes_is_refused(void **state)
{
	CLEANUP(keys_free) struct keys *k = made_keys(*state);
	CLEANUP(zone_keys_unref) struct zone_keys *z = NULL;
	CLEANUP(buf_done) struct buf wrapped = {0}, sealed = {0}, out = {0};

	assert_good(zone_keys_create(k, 1, &wrapped, &z));
	assert_good(zone_keys_seal_name(z, 5, view_text("quarterly figures.pdf"), &sealed));
	for (size_t bit = 0; bit < sealed.len * 8; bit++) {
		uint8_t mask = (uint8_t)(1 << bit % 8);
		sealed.data[bit / 8] ^= mask;
		assert_refused(zone_keys_open_name(z, 5, view_buf(&sealed), &out), E_INTEGRITY);
		sealed.data[bit / 8] ^= mask;
	}
	for (size_t len = 0; len < sealed.len; len++) {
		uint8_t *exact = kit_exact(view_of(sealed.data, len));
		assert_refused(zone_keys_open_name(z, 5, view_of(exact, len), &out), E_INTEGRITY);
		free(exact);
	}
	assert_int_equal(out.len, 0);
	/* What did not open leaves nothing behind in the buffer's spare room. */
	assert_null(memmem(out.data, out.cap, "quarterly", 9));
}

static void seal_empty_name_is_refused(void **state)
{
	CLEANUP(keys_free) struct keys *k = made_keys(*state);
	CLEANUP(zone_keys_unref) struct zone_keys *z = NULL;
	CLEANUP(buf_done) struct buf wrapped = {0}, out = {0};

	assert_good(zone_keys_create(k, 1, &wrapped, &z));
	assert_refused(zone_keys_seal_name(z, 5, view_text(""), &out), E_INVALID);
	assert_int_equal(out.len, 0);
}

/* RFC 5297, appendix A.1. */
static void seal_published_siv_vector_gives_its_output(void **state)
{
	static const char key_hex[] =
	    "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
	static const char about_hex[] = "101112131415161718191a1b1c1d1e1f2021222324252627";
	static const char plain_hex[] = "112233445566778899aabbccddee";
	static const char output_hex[] =
	    "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c";
	uint8_t key[32], about[24], plain[14], output[30];
	CLEANUP(buf_done) struct buf out = {0}, back = {0};

	(void)state;
	assert_good(hex_decode(view_text(key_hex), key, sizeof key));
	assert_good(hex_decode(view_text(about_hex), about, sizeof about));
	assert_good(hex_decode(view_text(plain_hex), plain, sizeof plain));
	assert_good(hex_decode(view_text(output_hex), output, sizeof output));
	assert_good(siv_seal(view_of(key, sizeof key), view_of(about, sizeof about),
			     view_of(plain, sizeof plain), &out));
	assert_true(view_equal(view_buf(&out), view_of(output, sizeof output)));
	assert_good(siv_open(view_of(key, sizeof key), view_of(about, sizeof about),
			     view_of(output, sizeof output), &back));
	assert_true(view_equal(view_buf(&back), view_of(plain, sizeof plain)));
}

/* AES-256-SIV put together from CMAC and CTR as RFC 5297, section 2 says: the RFC has no
 * vectors of that size. */
static void cmac(const uint8_t *key, const uint8_t *data, size_t len, uint8_t ret[16])
{
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, (char[]){"AES-256-CBC"}, 0),
	    OSSL_PARAM_construct_end()};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "CMAC", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	size_t n = 0;

	assert_int_equal(EVP_MAC_init(ctx, key, 32, params), 1);
	assert_int_equal(EVP_MAC_update(ctx, data, len), 1);
	assert_int_equal(EVP_MAC_final(ctx, ret, &n, 16), 1);
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

static void doubled(uint8_t d[16])
{
	unsigned carry = d[0] >> 7;

	for (size_t i = 0; i < 16; i++)
		d[i] = (uint8_t)(d[i] << 1 | (i < 15 ? d[i + 1] >> 7 : 0));
	if (carry)
		d[15] ^= 0x87;
}

static void xor_into(uint8_t *to, const uint8_t *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] ^= from[i];
}

static void siv_by_hand(const uint8_t key[64], struct view about, struct view plain, uint8_t *ret)
{
	uint8_t d[16], t[16], mac_in[512] = {0}, counter[16];
	static const uint8_t zero[16];
	int n = 0;

	cmac(key, zero, 16, d);
	doubled(d);
	cmac(key, about.data, about.len, t);
	xor_into(d, t, 16);
	memcpy(mac_in, plain.data, plain.len);
	if (plain.len >= 16) {
		xor_into(mac_in + plain.len - 16, d, 16);
		cmac(key, mac_in, plain.len, ret);
	} else {
		mac_in[plain.len] = 0x80;
		doubled(d);
		xor_into(mac_in, d, 16);
		cmac(key, mac_in, 16, ret);
	}
	memcpy(counter, ret, 16);
	counter[8] &= 0x7f;
	counter[12] &= 0x7f;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr(), NULL, key + 32, counter), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, ret + 16, &n, plain.data, (int)plain.len), 1);
	EVP_CIPHER_CTX_free(ctx);
}

static void seal_siv_of_256_bits_follows_the_rfc(void **state)
{
	uint8_t key[64], about[8], plain[300], expected[316];

	(void)state;
	assert_good(random_bytes(key, sizeof key));
	assert_good(random_bytes(about, sizeof about));
	assert_good(random_bytes(plain, sizeof plain));
	for (size_t len = 1; len <= sizeof plain; len++) {
		CLEANUP(buf_done) struct buf out = {0};
		siv_by_hand(key, view_of(about, sizeof about), view_of(plain, len), expected);
		assert_good(siv_seal(view_of(key, sizeof key), view_of(about, sizeof about),
				     view_of(plain, len), &out));
		assert_true(view_equal(view_buf(&out), view_of(expected, len + 16)));
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(create_in_empty_folder_writes_two_private_files),
	    CASE(create_where_either_is_there_is_refused_and_changes_nothing),
	    CASE(create_that_fails_half_way_leaves_nothing),
	    CASE(load_twice_gives_the_same_keys),
	    CASE(create_twice_gives_different_keys),
	    CASE(load_without_a_file_says_gone),
	    CASE(load_of_file_that_others_may_use_is_refused),
	    CASE(load_of_malformed_file_is_refused),
	    CASE(load_of_fifo_or_folder_is_refused_at_once),
	    CASE(load_of_log_key_under_another_master_key_is_refused),
	    CASE(store_of_log_key_is_not_in_clear),
	    CASE(open_what_was_sealed_gives_it_back),
	    CASE(seal_twice_gives_two_values),
	    CASE(open_of_any_other_bytes_is_refused),
	    CASE(open_under_other_parent_purpose_or_about_is_refused),
	    CASE(open_published_gcm_vector_gives_its_plaintext),
	    CASE(unwrap_gives_the_zone_that_was_made),
	    CASE(unwrap_of_swapped_altered_or_cut_secret_is_refused),
	    CASE(unwrap_of_secret_of_unknown_form_is_refused),
	    CASE(unref_on_threads_frees_once_and_last),
	    CASE(seal_name_twice_gives_one_value),
	    CASE(open_name_of_other_folder_or_zone_is_refused),
	    CASE(open_name_of_any_other_bytes_is_refused),
	    CASE(seal_empty_name_is_refused),
	    CASE(seal_published_siv_vector_gives_its_output),
	    CASE(seal_siv_of_256_bits_follows_the_rfc),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
