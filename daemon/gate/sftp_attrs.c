/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/sftp_attrs.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/gate/sftp.h"

enum { OWNER_SHOWN = 64, DATE_SIZE = 16 };

static const int64_t half_year_s = 365 * 24 * 60 * 60 / 2;

struct fxattrs fxattrs_read(struct reader *r)
{
	struct fxattrs a = {.flags = read_u32(r)};

	if (a.flags & ATTR_SIZE)
		a.size = read_u64(r);
	if (a.flags & ATTR_UIDGID) {
		a.uid = read_u32(r);
		a.gid = read_u32(r);
	}
	if (a.flags & ATTR_PERMISSIONS)
		a.permissions = read_u32(r);
	if (a.flags & ATTR_ACMODTIME) {
		a.atime = read_u32(r);
		a.mtime = read_u32(r);
	}
	if (a.flags & ATTR_EXTENDED) {
		/* Each pair takes eight bytes at least, so a false count ends with the input. */
		for (uint32_t pairs = read_u32(r); pairs && reader_ok(r); pairs--) {
			(void)read_bytes(r);
			(void)read_bytes(r);
		}
	}
	return a;
}

void fxattrs_write(struct writer *w, const struct fxattrs *a)
{
	write_u32(w, a->flags);
	if (a->flags & ATTR_SIZE)
		write_u64(w, a->size);
	if (a->flags & ATTR_UIDGID) {
		write_u32(w, a->uid);
		write_u32(w, a->gid);
	}
	if (a->flags & ATTR_PERMISSIONS)
		write_u32(w, a->permissions);
	if (a->flags & ATTR_ACMODTIME) {
		write_u32(w, a->atime);
		write_u32(w, a->mtime);
	}
}

/* Clients give what they fetch the modes that they are shown: a copy that its owner may not write
 * to, or a folder that nothing can be put into, is of no use to anybody. So that bit says nothing
 * of rights. */
static uint32_t dir_mode(uint8_t rights)
{
	return S_IFDIR | S_IWUSR | S_IXUSR | (rights & RIGHT_LIST ? S_IRUSR : 0u);
}

static uint32_t file_mode(uint8_t rights)
{
	return S_IFREG | S_IWUSR | (rights & RIGHT_READ ? S_IRUSR : 0u);
}

/* Version 3 has 32 bits for a time: what lies outside is shown as the nearest one inside. */
static uint32_t short_time(int64_t time_s)
{
	if (time_s < 0)
		return 0;
	return time_s > UINT32_MAX ? UINT32_MAX : (uint32_t)time_s;
}

struct fxattrs fxattrs_of(const struct attrs *a)
{
	struct fxattrs f = {
	    .flags = ATTR_SIZE | ATTR_UIDGID | ATTR_PERMISSIONS,
	    .size = a->size,
	    .uid = a->owner,
	    .gid = a->owner,
	    .permissions = a->kind == NODE_DIR ? dir_mode(a->rights) : file_mode(a->rights),
	};

	if (a->mtime_s != TIME_UNKNOWN) {
		f.flags |= ATTR_ACMODTIME;
		f.atime = f.mtime = short_time(a->mtime_s);
	}
	return f;
}

/* Empty for a time that is not known; the year instead of the hour for one far away. */
static void format_date(int64_t mtime_s, int64_t now_s, char ret_date[DATE_SIZE])
{
	bool near = mtime_s <= now_s && mtime_s > now_s - half_year_s;
	time_t t = (time_t)mtime_s;
	struct tm tm;

	ret_date[0] = '\0';
	if (mtime_s == TIME_UNKNOWN || !gmtime_r(&t, &tm))
		return;
	if (!strftime(ret_date, DATE_SIZE, near ? "%b %e %H:%M" : "%b %e  %Y", &tm))
		ret_date[0] = '\0';
}

size_t fxattrs_line(const struct attrs *a, struct view name, int64_t now_s, char *ret_line,
		    size_t cap)
{
	uint32_t mode = fxattrs_of(a).permissions;
	int owner_len = a->owner_name.len < OWNER_SHOWN ? (int)a->owner_name.len : OWNER_SHOWN;
	const char *owner = a->owner_name.len ? (const char *)a->owner_name.data : "";
	char date[DATE_SIZE];

	format_date(a->mtime_s, now_s, date);
	int n = snprintf(ret_line, cap, "%c%c%c%c------    1 %-8.*s %-8.*s %8llu %12s ",
			 S_ISDIR(mode) ? 'd' : '-', mode & S_IRUSR ? 'r' : '-',
			 mode & S_IWUSR ? 'w' : '-', mode & S_IXUSR ? 'x' : '-', owner_len, owner,
			 owner_len, owner, (unsigned long long)a->size, date);
	size_t len = n < 0 ? 0 : (size_t)n;
	if (len >= cap)
		return cap - 1;
	size_t more = name.len < cap - 1 - len ? name.len : cap - 1 - len;
	if (more)
		memcpy(ret_line + len, name.data, more);
	ret_line[len + more] = '\0';
	return len + more;
}
