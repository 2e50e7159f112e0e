/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "daemon/gate/sftp_inside.h"

/* STAT and LSTAT are the same: there are no links. */
static op *const ops[] = {
    [FXP_OPEN] = op_open,         [FXP_CLOSE] = op_close,     [FXP_READ] = op_read,
    [FXP_LSTAT] = op_stat,        [FXP_FSTAT] = op_fstat,     [FXP_SETSTAT] = op_setstat,
    [FXP_FSETSTAT] = op_fsetstat, [FXP_OPENDIR] = op_opendir, [FXP_READDIR] = op_readdir,
    [FXP_REMOVE] = op_remove,     [FXP_MKDIR] = op_mkdir,     [FXP_RMDIR] = op_rmdir,
    [FXP_REALPATH] = op_realpath, [FXP_STAT] = op_stat,       [FXP_RENAME] = op_rename,
    [FXP_EXTENDED] = op_extended,
};

int answer_malformed(struct talk *t, uint32_t id)
{
	reply_status(&t->replies, id, FX_BAD_MESSAGE, "malformed request");
	return 0;
}

int answer_bad_handle(struct talk *t, uint32_t id)
{
	reply_status(&t->replies, id, FX_FAILURE, "no such handle, or not of this kind");
	return 0;
}

bool take_path(struct talk *t, uint32_t id, struct view raw, struct path *ret_path)
{
	int rc = path_resolve(view_text(t->env.home), raw, ret_path);

	if (rc)
		reply_error(&t->replies, id, rc, err_cause());
	err_clear();
	return !rc;
}

/* INIT comes first and once [4]; what follows in it are extensions, which we need not know. */
static int first_request(struct talk *t, const struct packet *p)
{
	struct reader r = reader_of(p->body);
	uint32_t version = read_u32(&r);

	if (p->type != FXP_INIT || !reader_ok(&r))
		return fail(E_PROTOCOL, "the SFTP conversation does not begin with INIT");
	op_init(t, version);
	t->versioned = true;
	return 0;
}

int talk_request(struct talk *t, const struct packet *p)
{
	struct reader r = reader_of(p->body);

	if (!t->versioned)
		return first_request(t, p);
	uint32_t id = read_u32(&r);
	if (!reader_ok(&r) || p->type == FXP_INIT)
		return fail(E_PROTOCOL, "an SFTP request that cannot be answered");
	if (p->type < ARRAY_LEN(ops) && ops[p->type])
		return ops[p->type](t, id, &r);
	reply_status(&t->replies, id, FX_OP_UNSUPPORTED, "not supported");
	return 0;
}
