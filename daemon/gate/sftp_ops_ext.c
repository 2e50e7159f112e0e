/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "daemon/gate/sftp_inside.h"

/* OpenSSH's PROTOCOL, section 4; home-directory: draft-ietf-secsh-filexfer-extensions-00. */

enum {
	BLOCK = 4096, /* the unit in which space is told */
	NAME_MAX_BYTES = 255,
	STATVFS_SIZE = 11 * 8,
	LIMITS_SIZE = 4 * 8,
	VERSION_SIZE = 1024,
	IDS_MAX = 4096, /* asked for at once in users-groups-by-id */
	NOSUID = 2,     /* SSH_FXE_STATVFS_ST_NOSUID */
};
/* There is no fixed number of files: always as many more. */
static const uint64_t files_free = (uint64_t)1 << 32;

static void space_answered(struct call *c, const struct answer *a)
{
	struct talk *t = c->talk;
	struct answer_space s;
	struct writer w;

	if (answer_space_read(a->body, &s)) {
		err_clear();
		reply_error(&t->replies, c->id, E_IO, NULL);
		return;
	}
	if (!reply_begin(&t->replies, FXP_EXTENDED_REPLY, c->id, STATVFS_SIZE, &w))
		return;
	write_u64(&w, BLOCK);
	write_u64(&w, BLOCK);
	write_u64(&w, s.total / BLOCK);
	write_u64(&w, s.free / BLOCK);
	write_u64(&w, s.free / BLOCK);
	write_u64(&w, s.files + files_free);
	write_u64(&w, files_free);
	write_u64(&w, files_free);
	write_u64(&w, 0);
	write_u64(&w, NOSUID);
	write_u64(&w, NAME_MAX_BYTES);
	reply_end(&t->replies, &w);
}

static void ask_space(struct talk *t, uint32_t id, struct view path)
{
	const struct ask_space m = {.path = path};
	struct call *c = call_new(t, id);

	c->answered = space_answered;
	c->ask = keeper_ask_space(t->env.keeper, t->env.session, &m, call_on_answer, c);
}

static int ext_statvfs(struct talk *t, uint32_t id, struct reader *r)
{
	struct view raw = read_bytes(r);
	struct path path;

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (take_path(t, id, raw, &path))
		ask_space(t, id, path_view(&path));
	return 0;
}

static int ext_fstatvfs(struct talk *t, uint32_t id, struct reader *r)
{
	const struct file *f = file_find(t, read_bytes(r));

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (!f)
		return answer_bad_handle(t, id);
	ask_space(t, id, view_text(f->path));
	return 0;
}

static int ext_posix_rename(struct talk *t, uint32_t id, struct reader *r)
{
	struct view raw_from = read_bytes(r), raw_to = read_bytes(r);
	struct path from, to;

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (!take_path(t, id, raw_from, &from) || !take_path(t, id, raw_to, &to))
		return 0;
	if (file_is_closing(t, path_view(&from)) || file_is_closing(t, path_view(&to)))
		return stall(t, TALK_STALL_TURN);
	ask_rename(t, id, &from, &to, true);
	return 0;
}

static int ext_fsync(struct talk *t, uint32_t id, struct reader *r)
{
	struct file *f = file_find(t, read_bytes(r));

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (!f || f->kind == FILE_DIR)
		return answer_bad_handle(t, id);
	if (f->kind == FILE_PUT)
		return ask_sync(t, id, f);
	reply_ok(&t->replies, id);
	return 0;
}

static int ext_limits(struct talk *t, uint32_t id, struct reader *r)
{
	struct writer w;

	(void)r;
	if (!reply_begin(&t->replies, FXP_EXTENDED_REPLY, id, LIMITS_SIZE, &w))
		return 0;
	write_u64(&w, PACKET_MAX);
	write_u64(&w, READ_MAX);
	write_u64(&w, READ_MAX); /* WRITE: the same, so that both directions behave alike */
	write_u64(&w, t->env.open_files_max);
	reply_end(&t->replies, &w);
	return 0;
}

static bool is_me(const struct talk *t, struct view user)
{
	return !user.len || view_is(user, t->env.name);
}

/* "~", "~/x" and "~user/x" as a shell would; everything else as REALPATH. */
static int ext_expand_path(struct talk *t, uint32_t id, struct reader *r)
{
	struct view raw = read_bytes(r);
	struct path path;

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (raw.len && raw.data[0] == '~') {
		const uint8_t *slash = memchr(raw.data, '/', raw.len);
		size_t end = slash ? (size_t)(slash - raw.data) : raw.len;
		if (!is_me(t, view_of(raw.data + 1, end - 1))) {
			reply_error(&t->replies, id, E_GONE, "no such user");
			return 0;
		}
		size_t skip = slash ? end + 1 : end;
		raw = view_of(raw.data + skip, raw.len - skip);
		while (raw.len && raw.data[0] == '/') /* "~//x" is below home, too */
			raw = view_of(raw.data + 1, raw.len - 1);
	}
	if (take_path(t, id, raw, &path))
		reply_path(&t->replies, id, path_view(&path));
	return 0;
}

static int ext_home(struct talk *t, uint32_t id, struct reader *r)
{
	struct view user = read_bytes(r);

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (is_me(t, user))
		reply_path(&t->replies, id, view_text(t->env.home));
	else
		reply_error(&t->replies, id, E_GONE, "no such user");
	return 0;
}

static size_t names_size(const struct talk *t, struct view ids)
{
	struct reader r = reader_of(ids);
	size_t size = 0;

	while (r.left)
		size += 4 + strlen(owner_name(t, read_u32(&r)));
	return size;
}

static void write_names(const struct talk *t, struct writer *w, struct view ids, size_t size)
{
	struct reader r = reader_of(ids);

	write_u32(w, (uint32_t)size);
	while (r.left)
		write_bytes(w, view_text(owner_name(t, read_u32(&r))));
}

/* Users and groups are the same: the principals whose files this conversation has seen. */
static int ext_users_by_id(struct talk *t, uint32_t id, struct reader *r)
{
	struct view uids = read_bytes(r), gids = read_bytes(r);
	struct writer w;

	if (!reader_ok(r) || uids.len % 4 || gids.len % 4 || uids.len + gids.len > 4 * IDS_MAX)
		return answer_malformed(t, id);
	size_t users = names_size(t, uids), groups = names_size(t, gids);
	if (!reply_begin(&t->replies, FXP_EXTENDED_REPLY, id, 4 + users + 4 + groups, &w))
		return 0;
	write_names(t, &w, uids, users);
	write_names(t, &w, gids, groups);
	reply_end(&t->replies, &w);
	return 0;
}

static int ext_lsetstat(struct talk *t, uint32_t id, struct reader *r)
{
	return op_setstat(t, id, r);
}

static const struct {
	const char *name, *version;
	op *run;
} extensions[] = {
    {"posix-rename@openssh.com", "1", ext_posix_rename},
    {"statvfs@openssh.com", "2", ext_statvfs},
    {"fstatvfs@openssh.com", "2", ext_fstatvfs},
    {"fsync@openssh.com", "1", ext_fsync},
    {"lsetstat@openssh.com", "1", ext_lsetstat},
    {"limits@openssh.com", "1", ext_limits},
    {"expand-path@openssh.com", "1", ext_expand_path},
    {"home-directory", "1", ext_home},
    {"users-groups-by-id@openssh.com", "1", ext_users_by_id},
};

/* VERSION has no id: the version stands in its place. */
void op_init(struct talk *t, uint32_t version)
{
	struct writer w;

	(void)version; /* we speak version 3, whatever more the client may speak [4] */
	if (!reply_begin(&t->replies, FXP_VERSION, SFTP_VERSION, VERSION_SIZE, &w))
		return;
	for (size_t i = 0; i < ARRAY_LEN(extensions); i++) {
		write_bytes(&w, view_text(extensions[i].name));
		write_bytes(&w, view_text(extensions[i].version));
	}
	reply_end(&t->replies, &w);
}

int op_extended(struct talk *t, uint32_t id, struct reader *r)
{
	struct view name = read_bytes(r);

	if (!reader_ok(r))
		return answer_malformed(t, id);
	for (size_t i = 0; i < ARRAY_LEN(extensions); i++)
		if (view_is(name, extensions[i].name))
			return extensions[i].run(t, id, r);
	reply_status(&t->replies, id, FX_OP_UNSUPPORTED, "no such extension");
	return 0;
}
