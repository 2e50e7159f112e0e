/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/keys.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "daemon/keep/gcm.h"
#include "daemon/keep/siv.h"

static const char log_file[] = "keys/log.key";

/* Purposes: the info of HKDF. A change of what is sealed under one needs another. */
static const char wrap_purpose[] = "dropkeep zone wrap v1";
static const char log_purpose[] = "dropkeep log key v1";
static const char catalog_purpose[] = "dropkeep catalog pages v1";

enum {
	MASTER_SIZE = 32,
	SEED_SIZE = 32,
	SEALED_SEED = SEED_SIZE + GCM_EXTRA,
	MASTER_TEXT = 2 * MASTER_SIZE + 1, /* digits and a newline */
	LOG_TEXT = 2 * SEALED_SEED + 1,
};

/* A zone's secret: version, identity, names key, data key. doc/FORMAT.keys.md, "Zones". */
enum {
	ZONE_VERSION = 1,
	NAMES_KEY = 64, /* AES-256-SIV: a MAC key and an encryption key */
	DATA_KEY = 32,
	AT_IDENTITY = 1,
	AT_NAMES = AT_IDENTITY + AGE_KEY_SIZE,
	AT_DATA = AT_NAMES + NAMES_KEY,
	ZONE_SECRET = AT_DATA + DATA_KEY,
};

struct keys {
	struct secret *master, *log, *catalog;
};

struct zone_keys {
	unsigned references; /* __atomic */
	struct secret *identity, *names, *data;
	struct age_recipient recipient;
};

/* A number as associated data, big-endian. */
struct about {
	uint8_t bytes[8];
};

static struct about about_number(uint64_t number)
{
	struct about b;

	for (size_t i = sizeof b.bytes; i-- > 0; number >>= 8)
		b.bytes[i] = (uint8_t)number;
	return b;
}

/* ---- sealing ---- */

static int derive(const struct keys *k, const struct secret *parent, const char *purpose,
		  struct secret **ret_key)
{
	return secret_derive(secret_view(parent ? parent : k->master), view_of(NULL, 0), purpose,
			     GCM_KEY, ret_key);
}

int keys_seal(const struct keys *k, const struct secret *parent, const char *purpose,
	      struct view about, struct view plain, struct buf *out)
{
	CLEANUP(secret_free) struct secret *key = NULL;
	int rc = derive(k, parent, purpose, &key);

	return rc ? rc : gcm_seal(key, about, plain, out);
}

int keys_open(const struct keys *k, const struct secret *parent, const char *purpose,
	      struct view about, struct view sealed, struct secret **ret_plain)
{
	CLEANUP(secret_free) struct secret *key = NULL;
	int rc = derive(k, parent, purpose, &key);

	return rc ? rc : gcm_open(key, about, sealed, ret_plain);
}

/* ---- key files ---- */

static int check_absent(int state_fd, const char *path)
{
	struct stat st;

	if (fstatat(state_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return fail(E_EXISTS, "'%s' is there already", path);
	return errno == ENOENT ? 0 : fail_errno(E_IO, "look for '%s'", path);
}

/* Digits of bytes and a newline; text is wiped by the caller. */
static int write_key_file(int state_fd, const char *path, struct view bytes, struct buf *text)
{
	buf_clear(text);
	int rc = buf_reserve(text, 2 * bytes.len + 1);

	if (rc)
		return rc;
	hex_encode(bytes.data, bytes.len, (char *)text->data);
	text->data[2 * bytes.len] = '\n';
	text->len = 2 * bytes.len + 1;
	return sys_replace_file(state_fd, path, 0400, view_buf(text));
}

static int check_private(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail_errno(E_IO, "look at '%s'", path);
	if (!S_ISREG(st.st_mode))
		return fail(E_CONFIG, "'%s' is not a file", path);
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return fail(E_CONFIG,
			    "'%s' may be used by others than its owner (mode %04o): run "
			    "\"chmod 0400\" on it, and rotate the keys if they were not alone",
			    path, (unsigned)(st.st_mode & 07777));
	return 0;
}

/* len digits' bytes, strictly in the form that write_key_file() gives them. */
static int parse_key_text(const char *path, struct view text, uint8_t *ret_bytes, size_t len)
{
	if (text.len == 2 * len + 1 && text.data[2 * len] == '\n' &&
	    hex_decode(view_of(text.data, 2 * len), ret_bytes, len) == 0)
		return 0;
	return fail(E_CONFIG, "'%s' must hold %zu lower-case hexadecimal digits and a newline",
		    path, 2 * len);
}

/* O_NONBLOCK: a FIFO in its place must not hold us up. */
static int read_key_file(int state_fd, const char *path, uint8_t *ret_bytes, size_t len)
{
	CLEANUP(sys_close) int fd = -1;
	uint8_t text[LOG_TEXT + 1]; /* one more than fits, to see that there is more */
	size_t got = 0;

	assert(2 * len + 1 < sizeof text);
	int rc = sys_open(state_fd, path, O_RDONLY | O_NONBLOCK, 0, &fd);
	if (!rc)
		rc = check_private(fd, path);
	if (!rc)
		rc = sys_pread_some(fd, text, 2 * len + 2, 0, &got);
	if (!rc)
		rc = parse_key_text(path, view_of(text, got), ret_bytes, len);
	wipe(text, sizeof text);
	return rc;
}

/* ---- the master key and the log's key ---- */

static int draw(struct keys **ret_keys)
{
	CLEANUP(keys_free) struct keys *k = mem_new(sizeof *k);
	int rc = secret_random(MASTER_SIZE, &k->master);

	if (!rc)
		rc = secret_random(SEED_SIZE, &k->log);
	if (!rc)
		*ret_keys = TAKE(k);
	return rc;
}

static int write_keys(int state_fd, const char *master, const struct keys *k)
{
	CLEANUP(buf_wipe) struct buf text = {0};
	CLEANUP(buf_done) struct buf sealed = {0};
	int rc = keys_seal(k, NULL, log_purpose, view_of(NULL, 0), secret_view(k->log), &sealed);

	if (!rc)
		rc = write_key_file(state_fd, log_file, view_buf(&sealed), &text);
	if (!rc)
		rc = write_key_file(state_fd, master, secret_view(k->master), &text);
	return rc;
}

/* Half of it is of no use to anybody. */
static void remove_keys(int state_fd, const char *master)
{
	CLEANUP(mem_free) char *fresh_master = mem_printf("%s.new", master);
	CLEANUP(mem_free) char *fresh_log = mem_printf("%s.new", log_file);
	const char *const ours[] = {master, fresh_master, log_file, fresh_log};

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		(void)unlinkat(state_fd, ours[i], 0);
}

int keys_create(int state_fd, const char *master)
{
	CLEANUP(keys_free) struct keys *k = NULL;
	int rc = check_absent(state_fd, master);

	if (!rc)
		rc = check_absent(state_fd, log_file);
	if (!rc)
		rc = draw(&k);
	if (rc)
		return rc;
	rc = write_keys(state_fd, master, k);
	if (rc)
		remove_keys(state_fd, master);
	return rc;
}

static int load_master(int state_fd, const char *master, struct keys *k)
{
	uint8_t bytes[MASTER_SIZE];
	int rc = read_key_file(state_fd, master, bytes, sizeof bytes);

	if (!rc)
		rc = secret_copy(bytes, sizeof bytes, &k->master);
	wipe(bytes, sizeof bytes);
	return rc;
}

static int load_log(int state_fd, const char *master, struct keys *k)
{
	uint8_t sealed[SEALED_SEED];
	int rc = read_key_file(state_fd, log_file, sealed, sizeof sealed);

	if (rc)
		return rc;
	rc = keys_open(k, NULL, log_purpose, view_of(NULL, 0), view_of(sealed, sizeof sealed),
		       &k->log);
	if (rc == E_INTEGRITY)
		return fail(rc,
			    "'%s' was not sealed under '%s': they belong to different "
			    "installations, or one is damaged",
			    log_file, master);
	return rc;
}

int keys_load(int state_fd, const char *master, struct keys **ret_keys)
{
	CLEANUP(keys_free) struct keys *k = mem_new(sizeof *k);
	int rc = load_master(state_fd, master, k);

	if (!rc)
		rc = load_log(state_fd, master, k);
	if (!rc)
		rc = derive(k, NULL, catalog_purpose, &k->catalog);
	if (!rc)
		*ret_keys = TAKE(k);
	return rc;
}

void keys_free(struct keys **k)
{
	if (!*k)
		return;
	secret_free(&(*k)->master);
	secret_free(&(*k)->log);
	secret_free(&(*k)->catalog);
	mem_free(k);
}

const struct secret *keys_log(const struct keys *k)
{
	return k->log;
}

const struct secret *keys_catalog(const struct keys *k)
{
	return k->catalog;
}

/* ---- zones ---- */

static int take_apart(struct view secret, struct zone_keys **ret_zone)
{
	CLEANUP(zone_keys_unref) struct zone_keys *z = mem_new(sizeof *z);

	z->references = 1;
	if (secret.len != ZONE_SECRET || secret.data[0] != ZONE_VERSION)
		return fail(E_INTEGRITY, "a zone's secret of an unknown form");
	int rc =
	    age_identity_from_bytes(view_of(secret.data + AT_IDENTITY, AGE_KEY_SIZE), &z->identity);
	if (!rc)
		rc = age_identity_recipient(z->identity, &z->recipient);
	if (!rc)
		rc = secret_copy(secret.data + AT_NAMES, NAMES_KEY, &z->names);
	if (!rc)
		rc = secret_copy(secret.data + AT_DATA, DATA_KEY, &z->data);
	if (!rc)
		*ret_zone = TAKE(z);
	return rc;
}

/* The bytes of a fresh zone's secret; all of them are random but the version. */
static int draw_zone(struct secret **ret_secret)
{
	CLEANUP(secret_free) struct secret *identity = NULL, *rest = NULL;
	uint8_t bytes[ZONE_SECRET] = {ZONE_VERSION};
	int rc = age_identity_new(&identity);

	if (!rc)
		rc = secret_random(NAMES_KEY + DATA_KEY, &rest);
	if (!rc) {
		memcpy(bytes + AT_IDENTITY, secret_view(identity).data, AGE_KEY_SIZE);
		memcpy(bytes + AT_NAMES, secret_view(rest).data, NAMES_KEY + DATA_KEY);
		rc = secret_copy(bytes, sizeof bytes, ret_secret);
	}
	wipe(bytes, sizeof bytes);
	return rc;
}

int zone_keys_create(const struct keys *k, uint64_t zone, struct buf *ret_wrapped,
		     struct zone_keys **ret_zone)
{
	CLEANUP(zone_keys_unref) struct zone_keys *z = NULL;
	CLEANUP(secret_free) struct secret *secret = NULL;
	struct about about = about_number(zone);
	int rc = draw_zone(&secret);

	if (!rc)
		rc = take_apart(secret_view(secret), &z);
	if (!rc)
		rc = keys_seal(k, NULL, wrap_purpose, view_of(about.bytes, sizeof about.bytes),
			       secret_view(secret), ret_wrapped);
	if (!rc)
		*ret_zone = TAKE(z);
	return rc;
}

int zone_keys_unwrap(const struct keys *k, uint64_t zone, struct view wrapped,
		     struct zone_keys **ret_zone)
{
	CLEANUP(secret_free) struct secret *secret = NULL;
	struct about about = about_number(zone);
	int rc = keys_open(k, NULL, wrap_purpose, view_of(about.bytes, sizeof about.bytes), wrapped,
			   &secret);

	if (rc == E_INTEGRITY)
		return fail(rc, "the secret of zone %llu does not open under this master key",
			    (unsigned long long)zone);
	return rc ? rc : take_apart(secret_view(secret), ret_zone);
}

struct zone_keys *zone_keys_ref(struct zone_keys *z)
{
	unsigned before = __atomic_fetch_add(&z->references, 1, __ATOMIC_RELAXED);

	assert(before > 0 && before < UINT_MAX);
	return z;
}

void zone_keys_unref(struct zone_keys **z)
{
	struct zone_keys *keys = *z;

	*z = NULL;
	if (!keys || __atomic_sub_fetch(&keys->references, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	secret_free(&keys->identity);
	secret_free(&keys->names);
	secret_free(&keys->data);
	mem_free(&keys);
}

const struct secret *zone_keys_identity(const struct zone_keys *z)
{
	return z->identity;
}

const struct age_recipient *zone_keys_recipient(const struct zone_keys *z)
{
	return &z->recipient;
}

const struct secret *zone_keys_data(const struct zone_keys *z)
{
	return z->data;
}

int zone_keys_seal_name(const struct zone_keys *z, uint64_t parent, struct view name,
			struct buf *out)
{
	struct about about = about_number(parent);

	return siv_seal(secret_view(z->names), view_of(about.bytes, sizeof about.bytes), name, out);
}

int zone_keys_open_name(const struct zone_keys *z, uint64_t parent, struct view sealed,
			struct buf *out)
{
	struct about about = about_number(parent);

	return siv_open(secret_view(z->names), view_of(about.bytes, sizeof about.bytes), sealed,
			out);
}
