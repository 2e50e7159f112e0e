/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sftp_inside: what the parts of talk share, and nobody else includes.
 *
 *	sftp_talk.c      the conversation: input, output, order, the end
 *	sftp_dispatch.c  which request is served by which function
 *	sftp_file.c      handles: what is open
 *	sftp_ops_file.c  OPEN CLOSE READ WRITE, and what is asked of an open file
 *	sftp_ops_path.c  what is asked of a path
 *	sftp_ops_dir.c   OPENDIR READDIR
 *	sftp_ops_ext.c   INIT and EXTENDED
 */
#ifndef DROPKEEP_GATE_SFTP_INSIDE_H
#define DROPKEEP_GATE_SFTP_INSIDE_H

#include "base/slots.h"
#include "daemon/gate/get.h"
#include "daemon/gate/put.h"
#include "daemon/gate/sftp_packet.h"
#include "daemon/gate/sftp_path.h"
#include "daemon/gate/sftp_reply.h"
#include "daemon/gate/sftp_talk.h"

enum { OWNER_NAME = 64, SENTENCE = 256 };

enum file_kind { FILE_PUT, FILE_GET, FILE_DIR };

/*
 * Where a WRITE goes: to the offset that it names, or, of a handle that appends, to the end.
 *
 * OpenSSH's reput appends and counts from the size that it was told before: what the upload has
 * grown since, under another connection's hands, comes a second time and must not stand in the
 * file twice. Others leave the end to us and name offsets from 0. The first WRITE tells who is who.
 */
enum write_to { WRITE_WHERE_NAMED, WRITE_UNDECIDED, WRITE_AT_END };

/* What a handle stands for. A reference each: the handle, every READ and call on it. */
struct file {
	struct talk *talk;
	struct file *prev, *next;
	unsigned refs;
	uint64_t number; /* its handle; 0: closed by the client */
	enum file_kind kind;
	char *path;

	struct put *put; /* NULL: yielded to a newcomer, or being closed */
	enum write_to to;
	uint64_t told; /* undecided: the size of it that the client was told last */
	bool closing;
	uint64_t size;     /* of an upload that is being closed */
	int64_t mtime_s;   /* of an upload, if the client has set it */
	struct call *sync; /* under way; its end is not told once the upload is given up */
	struct get *get;
	unsigned reads;    /* queued */
	uint64_t blocked;  /* the pass of talk_give() that found its data not ready */
	uint32_t close_id; /* closing: what CLOSE is to be answered with */

	/* a folder: the page under way, as the keep sent it, and what comes after */
	struct buf page;
	size_t page_used;
	uint64_t cursor;
	bool listing, end;
};

/* A request whose answer waits for somebody else. */
struct call {
	uint32_t magic;
	struct talk *talk;
	struct call *prev, *next;
	struct ask *ask; /* NULL: it has an effect here and must be waited for */
	uint32_t id;
	struct file *file;
	char *path, *to;
	bool opens, append, anew; /* opens: an upload at path is being opened */
	void (*answered)(struct call *c, const struct answer *a);
	bool (*refused)(struct call *c, int status); /* whether it has replied; NULL: it has not */
};

struct read {
	struct read *next;
	uint32_t id;
	struct file *file;
	uint64_t offset;
	size_t len;
};

struct owner {
	uint32_t number;
	char name[OWNER_NAME];
};

struct talk {
	uint32_t magic;
	struct talk_env env;
	struct packets packets;
	struct replies replies;
	bool versioned, ended;
	enum talk_stall stall;
	struct slots handles;
	struct file *files;
	struct call *calls;
	unsigned call_count, closes; /* closes: gets that are ending, beside the calls */
	struct read *first_read, **last_read;
	unsigned read_count;
	uint64_t pass;

	/* the WRITE whose data is coming */
	bool writing;
	struct file *write_file;
	int write_rc;
	char write_text[SENTENCE];

	/* The file that is not open here whose size was told last. */
	char *told_path;
	uint64_t told_size;

	struct owner owner[OWNERS_MAX];
	unsigned owners, next_owner;

	void (*done)(void *arg);
	void *done_arg;
};

/* sftp_talk.c */
void talk_wake(struct talk *t);
void talk_check_end(struct talk *t);
struct call *call_new(struct talk *t, uint32_t id);
void call_free(struct call *c); /* may end an ended talk: nothing of it may be used behind */
void call_on_answer(void *arg, const struct answer *a);
void talk_drop_reads(struct talk *t);

/* sftp_dispatch.c. E_AGAIN: the request has to wait, t->stall says for what. */
MUST_USE int talk_request(struct talk *t, const struct packet *p);

/* sftp_file.c */
struct file *file_new(struct talk *t, enum file_kind kind, const char *path);
MUST_USE int file_publish(struct file *f); /* gives it its handle */
void file_unref(struct file *f);
struct file *file_find(const struct talk *t, struct view handle); /* or NULL */
void file_close_handle(struct file *f); /* no request finds it any more; drops the reference */
bool file_may_open(const struct talk *t);
struct file *file_uploading(const struct talk *t, struct view path); /* or NULL */
bool file_is_closing(const struct talk *t, struct view path);
bool file_is_opening(const struct talk *t, struct view path); /* for an upload */
void file_renamed(struct talk *t, struct view from, struct view to);
/* The keep knows size and time of an upload as of its last report; here they are known. */
uint64_t file_put_size(const struct file *f);
int64_t file_put_mtime(const struct file *f, int64_t otherwise);
MUST_USE int file_set_attrs(struct file *f, const struct fxattrs *a); /* of an upload */

/* A path of a request. False: it was answered with why not. */
bool take_path(struct talk *t, uint32_t id, struct view raw, struct path *ret_path);

/* Requests: each takes its fields from r, which must be good, and answers or calls. */
typedef int op(struct talk *t, uint32_t id, struct reader *r);
op op_open, op_close, op_read, op_fstat, op_fsetstat;
op op_stat, op_setstat, op_remove, op_mkdir, op_rmdir, op_realpath, op_rename;
op op_opendir, op_readdir;
op op_extended;
void op_init(struct talk *t, uint32_t version);

MUST_USE int talk_write_piece(struct talk *t, const struct packet *p);
bool talk_produce_reads(struct talk *t, struct buf *out); /* false: no memory */

int ask_sync(struct talk *t, uint32_t id, struct file *f); /* as an op answers */
void file_forget_sync(struct file *f, const char *text);   /* answered with it, unless NULL */
void ask_stat(struct talk *t, uint32_t id, struct view path, struct file *f);
void ask_set_attrs(struct talk *t, uint32_t id, struct view path, const struct fxattrs *a);
void ask_rename(struct talk *t, uint32_t id, const struct path *from, const struct path *to,
		bool replace);
void owner_note(struct talk *t, const struct attrs *a);
const char *owner_name(const struct talk *t, uint32_t number);

/* A malformed request, a handle that is none, one of the wrong kind. */
int answer_malformed(struct talk *t, uint32_t id);
int answer_bad_handle(struct talk *t, uint32_t id);
int stall(struct talk *t, enum talk_stall why);

#endif
