/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/catalog_vfs.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "daemon/keep/catalog_db.h"
#include "daemon/keep/catalog_wal.h"

/* Of the database's header (SQLite's file format, 1.3). */
enum {
	DB_HEADER = 100,
	AT_PAGE_SIZE = 16,
	AT_RESERVED = 20,
	AT_APPLICATION = 68,
};

/* Plain SQLITE_CORRUPT would forbid all writing up to the end of the transaction, I/O errors
 * would undo it: but a page that cannot be had is the trouble of who asked for it alone. */
enum { DAMAGED = SQLITE_CORRUPT | 100 << 8 };

static const char db_magic[16] = "SQLite format 3"; /* with its NUL */

enum kind { DATABASE, LOG };

struct catalog_vfs {
	sqlite3_vfs vfs; /* what SQLite knows */
	sqlite3_vfs *below;
	EVP_MAC_CTX *mac;
	bool making;
	int rc; /* what went wrong, and in which words */
	char why[160];
	char name[32];
	uint8_t page[CATALOG_PAGE];
};

/* The system's own file follows in memory. */
struct file {
	sqlite3_file base;
	struct catalog_vfs *v;
	enum kind kind;
	const char *name; /* SQLite's, as long as the file is open */
	/* Of the log: which frame's header was written last, for which page; the order of bytes
	 * in its sums, once known. */
	sqlite3_int64 frame;
	uint32_t number;
	bool order_known, big_endian;
};

static struct file *file_of(sqlite3_file *f)
{
	return (struct file *)(void *)f;
}

static sqlite3_file *real(sqlite3_file *f)
{
	return (sqlite3_file *)(void *)(file_of(f) + 1);
}

/* ---- what is wrong ---- */

static int noted(struct catalog_vfs *v, int rc, const char *why)
{
	v->rc = rc;
	(void)snprintf(v->why, sizeof v->why, "%s", why);
	return DAMAGED;
}

static int wrong_page(struct catalog_vfs *v, enum kind kind, uint32_t number)
{
	char why[sizeof v->why];

	(void)snprintf(why, sizeof why, "catalog.db%s: page %lu is damaged, or not of this keep%s",
		       kind == LOG ? "-wal" : "", (unsigned long)number,
		       number == 1 ? " (is keys/master.key another one?)" : "");
	return noted(v, E_INTEGRITY, why);
}

int catalog_vfs_failure(struct catalog_vfs *v)
{
	int rc = v->rc;

	v->rc = 0;
	return rc ? fail(rc, "%s", v->why) : 0;
}

/* ---- codes ---- */

static bool page_mac(struct catalog_vfs *v, uint32_t number, const uint8_t *page,
		     uint8_t ret_mac[CATALOG_MAC])
{
	uint8_t head[4], full[EVP_MAX_MD_SIZE];
	size_t len = 0;

	wal_put_u32(head, number);
	bool good = EVP_MAC_init(v->mac, NULL, 0, NULL) == 1 &&
		    EVP_MAC_update(v->mac, head, sizeof head) == 1 &&
		    EVP_MAC_update(v->mac, page, CATALOG_SEALED) == 1 &&
		    EVP_MAC_final(v->mac, full, &len, sizeof full) == 1 && len >= CATALOG_MAC;
	if (good)
		memcpy(ret_mac, full, CATALOG_MAC);
	else
		ERR_clear_error();
	return good;
}

bool catalog_vfs_page_is(struct catalog_vfs *v, uint32_t number, const uint8_t *page)
{
	uint8_t mac[CATALOG_MAC];

	return page_mac(v, number, page, mac) &&
	       equal_secret(mac, page + CATALOG_SEALED, sizeof mac);
}

/* A copy of the page with its code, in v->page. big_endian as in the log's sums; in the
 * database nothing sums and the filler is as good as any. */
static int seal_page(struct catalog_vfs *v, uint32_t number, const uint8_t *page, bool big_endian)
{
	memcpy(v->page, page, CATALOG_PAGE);
	if (!page_mac(v, number, page, v->page + CATALOG_SEALED))
		return SQLITE_IOERR_WRITE;
	wal_balance(page + CATALOG_SEALED, v->page + CATALOG_SEALED, CATALOG_RESERVED, big_endian);
	return SQLITE_OK;
}

/* ---- the database ---- */

static int check_header(struct catalog_vfs *v, const uint8_t *head)
{
	if (memcmp(head, db_magic, sizeof db_magic) != 0)
		return noted(v, E_INTEGRITY,
			     "catalog.db does not begin like a database: it is damaged");
	if (head[AT_RESERVED] == 0 &&
	    wal_get_u32(head + AT_APPLICATION) == (uint32_t)CATALOG_APPLICATION)
		return noted(v, E_CONFIG,
			     "catalog.db is of a dropkeep from before its pages were "
			     "authenticated, which this version does not read");
	if (head[AT_RESERVED] == 0)
		return noted(v, E_CONFIG, "catalog.db is not a catalog of dropkeep");
	if (head[AT_RESERVED] != CATALOG_RESERVED || head[AT_PAGE_SIZE] != CATALOG_PAGE >> 8 ||
	    head[AT_PAGE_SIZE + 1] != 0)
		return wrong_page(v, DATABASE, 1);
	return SQLITE_OK;
}

/* Whether the log holds pages. */
static bool has_log(const struct file *mine)
{
	struct stat st;

	return stat(sqlite3_filename_wal(mine->name), &st) == 0 &&
	       st.st_size >= WAL_HEADER + WAL_FRAME;
}

/* The database's header is looked at before anything is locked, so it may be in the middle of
 * being written; what matters of it never changes, and comes again with the whole page. Where a
 * checkpoint was torn there may be anything, and SQLite takes the page from the log: until then
 * an empty header says nothing, and is believed in nothing. */
static int read_header(sqlite3_file *f, void *out, int len, sqlite3_int64 offset)
{
	struct file *mine = file_of(f);
	int sqlite = real(f)->pMethods->xRead(real(f), out, len, offset);

	if (sqlite != SQLITE_OK || offset != 0 || len != DB_HEADER)
		return sqlite;
	sqlite = check_header(mine->v, out);
	if (sqlite != SQLITE_OK && mine->v->rc == E_INTEGRITY && has_log(mine)) {
		memset(out, 0, DB_HEADER);
		mine->v->rc = 0;
		sqlite = SQLITE_OK;
	}
	return sqlite;
}

static int read_page(sqlite3_file *f, uint8_t *out, uint32_t number)
{
	struct catalog_vfs *v = file_of(f)->v;
	sqlite3_int64 offset = (sqlite3_int64)(number - 1) * CATALOG_PAGE;
	int sqlite = real(f)->pMethods->xRead(real(f), out, CATALOG_PAGE, offset);

	if (sqlite == SQLITE_IOERR_SHORT_READ && !v->making)
		return wrong_page(v, DATABASE, number);
	if (sqlite == SQLITE_OK && !catalog_vfs_page_is(v, number, out))
		return wrong_page(v, DATABASE, number);
	return sqlite;
}

/* A part of a page is judged by all of it; newer versions of SQLite read long values so. */
static int read_database(sqlite3_file *f, void *out, int len, sqlite3_int64 offset)
{
	struct catalog_vfs *v = file_of(f)->v;
	uint32_t number = (uint32_t)(offset / CATALOG_PAGE) + 1;
	int inside = (int)(offset % CATALOG_PAGE);

	if (offset + len <= DB_HEADER)
		return read_header(f, out, len, offset);
	if (len == CATALOG_PAGE && inside == 0)
		return read_page(f, out, number);
	if (inside + len > CATALOG_PAGE)
		return SQLITE_IOERR_READ;
	int sqlite = read_page(f, v->page, number);
	if (sqlite == SQLITE_OK)
		memcpy(out, v->page + inside, (size_t)len);
	return sqlite;
}

static int write_database(sqlite3_file *f, const void *data, int len, sqlite3_int64 offset)
{
	struct catalog_vfs *v = file_of(f)->v;
	uint32_t number = (uint32_t)(offset / CATALOG_PAGE) + 1;

	if (len != CATALOG_PAGE || offset % CATALOG_PAGE != 0)
		return SQLITE_IOERR_WRITE;
	if (v->making) {
		int sqlite = seal_page(v, number, data, false);
		if (sqlite != SQLITE_OK)
			return sqlite;
		data = v->page;
	} else if (!catalog_vfs_page_is(v, number, data)) {
		return wrong_page(v, LOG, number);
	}
	return real(f)->pMethods->xWrite(real(f), data, len, offset);
}

/* ---- the write-ahead log ---- */

static void note_order(struct file *f, const uint8_t *head)
{
	f->big_endian = wal_is_big_endian(head);
	f->order_known = true;
}

static bool is_frame(sqlite3_int64 offset)
{
	return offset >= WAL_HEADER && (offset - WAL_HEADER) % WAL_FRAME == 0;
}

/* With its frame's header, which says which page it is. */
static int read_logged(sqlite3_file *f, void *out, sqlite3_int64 offset)
{
	struct catalog_vfs *v = file_of(f)->v;
	uint8_t frame[WAL_FRAME];
	int sqlite = real(f)->pMethods->xRead(real(f), frame, WAL_FRAME, offset - WAL_FRAME_HEADER);
	uint32_t number = wal_get_u32(frame);

	if (sqlite != SQLITE_OK && sqlite != SQLITE_IOERR_SHORT_READ)
		return sqlite;
	if (sqlite != SQLITE_OK || !catalog_vfs_page_is(v, number, frame + WAL_FRAME_HEADER))
		return wrong_page(v, LOG, number);
	memcpy(out, frame + WAL_FRAME_HEADER, CATALOG_PAGE);
	return SQLITE_OK;
}

/* What SQLite reads of a log as such, when it recovers one or sums the frames again of a
 * transaction that has written some of them twice. */
static bool is_bookkeeping(int len, sqlite3_int64 offset)
{
	bool sums = len == WAL_SUMS && (offset == WAL_HEADER - WAL_SUMS ||
					is_frame(offset - (WAL_FRAME_HEADER - WAL_SUMS)));

	return sums || (len == WAL_HEADER && offset == 0) || (len == WAL_FRAME && is_frame(offset));
}

static int read_log(sqlite3_file *f, void *out, int len, sqlite3_int64 offset)
{
	if (len == CATALOG_PAGE && is_frame(offset - WAL_FRAME_HEADER))
		return read_logged(f, out, offset);
	if (!is_bookkeeping(len, offset))
		return SQLITE_IOERR_READ;
	int sqlite = real(f)->pMethods->xRead(real(f), out, len, offset);
	if (sqlite == SQLITE_OK && offset == 0)
		note_order(file_of(f), out);
	return sqlite;
}

/* Which page the frame is for: of a frame that is there already, its header says so. */
static int frame_number(sqlite3_file *f, sqlite3_int64 frame, uint32_t *ret_number)
{
	struct file *mine = file_of(f);
	uint8_t head[4];

	if (mine->frame != frame) {
		int sqlite = real(f)->pMethods->xRead(real(f), head, sizeof head, frame);
		if (sqlite != SQLITE_OK)
			return SQLITE_IOERR_WRITE;
		mine->frame = frame;
		mine->number = wal_get_u32(head);
	}
	*ret_number = mine->number;
	return SQLITE_OK;
}

static int know_order(sqlite3_file *f)
{
	uint8_t head[4];

	if (file_of(f)->order_known)
		return SQLITE_OK;
	if (real(f)->pMethods->xRead(real(f), head, sizeof head, 0) != SQLITE_OK)
		return SQLITE_IOERR_WRITE;
	note_order(file_of(f), head);
	return SQLITE_OK;
}

static int write_logged(sqlite3_file *f, const void *page, sqlite3_int64 offset)
{
	struct catalog_vfs *v = file_of(f)->v;
	uint32_t number = 0;
	int sqlite = frame_number(f, offset - WAL_FRAME_HEADER, &number);

	if (sqlite == SQLITE_OK)
		sqlite = know_order(f);
	if (sqlite == SQLITE_OK)
		sqlite = seal_page(v, number, page, file_of(f)->big_endian);
	if (sqlite != SQLITE_OK)
		return sqlite;
	return real(f)->pMethods->xWrite(real(f), v->page, CATALOG_PAGE, offset);
}

static int write_log(sqlite3_file *f, const void *data, int len, sqlite3_int64 offset)
{
	struct file *mine = file_of(f);

	if (len == CATALOG_PAGE && is_frame(offset - WAL_FRAME_HEADER))
		return write_logged(f, data, offset);
	if (len == WAL_HEADER && offset == 0) {
		note_order(mine, data);
	} else if (len == WAL_FRAME_HEADER && is_frame(offset)) {
		mine->frame = offset;
		mine->number = wal_get_u32(data);
	} else {
		return SQLITE_IOERR_WRITE;
	}
	return real(f)->pMethods->xWrite(real(f), data, len, offset);
}

/* ---- SQLite's view of a file ---- */

static int file_close(sqlite3_file *f)
{
	return real(f)->pMethods->xClose(real(f));
}

static int file_read(sqlite3_file *f, void *out, int len, sqlite3_int64 offset)
{
	return file_of(f)->kind == LOG ? read_log(f, out, len, offset)
				       : read_database(f, out, len, offset);
}

static int file_write(sqlite3_file *f, const void *data, int len, sqlite3_int64 offset)
{
	return file_of(f)->kind == LOG ? write_log(f, data, len, offset)
				       : write_database(f, data, len, offset);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return real(f)->pMethods->xTruncate(real(f), size);
}

static int file_sync(sqlite3_file *f, int flags)
{
	return real(f)->pMethods->xSync(real(f), flags);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *ret_size)
{
	return real(f)->pMethods->xFileSize(real(f), ret_size);
}

static int file_lock(sqlite3_file *f, int lock)
{
	return real(f)->pMethods->xLock(real(f), lock);
}

static int file_unlock(sqlite3_file *f, int lock)
{
	return real(f)->pMethods->xUnlock(real(f), lock);
}

static int file_is_reserved(sqlite3_file *f, int *ret_reserved)
{
	return real(f)->pMethods->xCheckReservedLock(real(f), ret_reserved);
}

static int file_control(sqlite3_file *f, int what, void *arg)
{
	return real(f)->pMethods->xFileControl(real(f), what, arg);
}

static int file_sector(sqlite3_file *f)
{
	return real(f)->pMethods->xSectorSize(real(f));
}

/* No atomic writes of several pages: they are for rollback journals, which are not used. */
static int file_device(sqlite3_file *f)
{
	return real(f)->pMethods->xDeviceCharacteristics(real(f)) & ~SQLITE_IOCAP_BATCH_ATOMIC;
}

static int file_shm_map(sqlite3_file *f, int region, int size, int extend, void volatile **ret)
{
	return real(f)->pMethods->xShmMap(real(f), region, size, extend, ret);
}

static int file_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *f)
{
	real(f)->pMethods->xShmBarrier(real(f));
}

static int file_shm_unmap(sqlite3_file *f, int remove)
{
	return real(f)->pMethods->xShmUnmap(real(f), remove);
}

/* Version 2: a file of version 3 could be mapped into memory, past file_read(). */
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_is_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

/* ---- SQLite's view of the system ---- */

static struct catalog_vfs *vfs_of(sqlite3_vfs *vfs)
{
	return vfs->pAppData;
}

/* Files of other kinds are the system's alone. */
static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct catalog_vfs *v = vfs_of(vfs);
	struct file *mine = file_of(f);

	if (!(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
		return v->below->xOpen(v->below, name, f, flags, ret_flags);
	*mine =
	    (struct file){.v = v, .kind = flags & SQLITE_OPEN_WAL ? LOG : DATABASE, .name = name};
	int sqlite = v->below->xOpen(v->below, name, real(f), flags, ret_flags);
	if (sqlite == SQLITE_OK)
		f->pMethods = &methods;
	else if (real(f)->pMethods)
		(void)real(f)->pMethods->xClose(real(f));
	return sqlite;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
	return vfs_of(vfs)->below->xDelete(vfs_of(vfs)->below, name, sync_dir);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_result)
{
	return vfs_of(vfs)->below->xAccess(vfs_of(vfs)->below, name, flags, ret_result);
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int len, char *ret_name)
{
	return vfs_of(vfs)->below->xFullPathname(vfs_of(vfs)->below, name, len, ret_name);
}

static int vfs_random(sqlite3_vfs *vfs, int len, char *ret_bytes)
{
	return vfs_of(vfs)->below->xRandomness(vfs_of(vfs)->below, len, ret_bytes);
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
	return vfs_of(vfs)->below->xSleep(vfs_of(vfs)->below, us);
}

static int vfs_time(sqlite3_vfs *vfs, double *ret_days)
{
	return vfs_of(vfs)->below->xCurrentTime(vfs_of(vfs)->below, ret_days);
}

static int vfs_last_error(sqlite3_vfs *vfs, int len, char *ret_text)
{
	return vfs_of(vfs)->below->xGetLastError(vfs_of(vfs)->below, len, ret_text);
}

/* ---- making one ---- */

static int set_key(struct catalog_vfs *v, const struct secret *key)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
			       OSSL_PARAM_END};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	struct view bytes = secret_view(key);

	v->mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	EVP_MAC_free(hmac);
	if (v->mac && EVP_MAC_init(v->mac, bytes.data, bytes.len, params) == 1)
		return 0;
	ERR_clear_error();
	return fail(E_IO, "set up HMAC for the catalog's pages");
}

/* Without functions for shared libraries: none is ever loaded. */
static void describe(struct catalog_vfs *v)
{
	static unsigned made; /* __atomic: readers come from the pool */
	unsigned number = __atomic_add_fetch(&made, 1, __ATOMIC_RELAXED);

	(void)snprintf(v->name, sizeof v->name, "dropkeep-%u", number);
	v->vfs = (sqlite3_vfs){
	    .iVersion = 1,
	    .szOsFile = v->below->szOsFile + (int)sizeof(struct file),
	    .mxPathname = v->below->mxPathname,
	    .zName = v->name,
	    .pAppData = v,
	    .xOpen = vfs_open,
	    .xDelete = vfs_delete,
	    .xAccess = vfs_access,
	    .xFullPathname = vfs_full_name,
	    .xRandomness = vfs_random,
	    .xSleep = vfs_sleep,
	    .xCurrentTime = vfs_time,
	    .xGetLastError = vfs_last_error,
	};
}

int catalog_vfs_new(const struct secret *key, struct catalog_vfs **ret_vfs)
{
	CLEANUP(catalog_vfs_free) struct catalog_vfs *v = mem_new(sizeof *v);
	int rc = set_key(v, key);

	if (rc)
		return rc;
	v->below = sqlite3_vfs_find(NULL);
	if (!v->below)
		return fail(E_IO, "SQLite knows no file system");
	describe(v);
	if (sqlite3_vfs_register(&v->vfs, 0) != SQLITE_OK)
		return fail(E_NOMEM, "register the catalog's files with SQLite");
	*ret_vfs = TAKE(v);
	return 0;
}

void catalog_vfs_free(struct catalog_vfs **v)
{
	if (!*v)
		return;
	(void)sqlite3_vfs_unregister(&(*v)->vfs);
	EVP_MAC_CTX_free((*v)->mac); /* wipes the key */
	mem_free(v);
}

const char *catalog_vfs_name(const struct catalog_vfs *v)
{
	return v->name;
}

void catalog_vfs_making(struct catalog_vfs *v, bool making)
{
	v->making = making;
}

int catalog_vfs_raw_page(sqlite3 *db, uint32_t number, uint8_t *ret_page)
{
	sqlite3_file *f = NULL;
	sqlite3_int64 offset = (sqlite3_int64)(number - 1) * CATALOG_PAGE;

	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &f) != SQLITE_OK || !f)
		return fail(E_IO, "look at the catalog's file");
	int sqlite = real(f)->pMethods->xRead(real(f), ret_page, CATALOG_PAGE, offset);
	if (sqlite == SQLITE_IOERR_SHORT_READ)
		return E_GONE; /* zeroes follow what there is */
	return sqlite == SQLITE_OK
		   ? 0
		   : fail(E_IO, "read the catalog's page %lu", (unsigned long)number);
}
