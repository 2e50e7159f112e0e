/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err: the one error idiom. A function returns 0 or a negative code of enum err.
 *
 * fail() pushes a frame (code and sentence) on a chain of the calling thread and returns
 * the code, so that `return fail(E_IO, "open blob '%s'", id);` is all that a failing
 * function does. Callers add frames as the error travels up; a boundary (a dispatcher, an
 * engine's end, main) reports err_text() once and calls err_clear(). lib/ never logs.
 * A code exists only where some caller acts differently on it; the table in err.c gives
 * its text, SFTP status, HTTP status and exit status.
 */
#ifndef DROPKEEP_ERR_H
#define DROPKEEP_ERR_H

#include <stddef.h>

#define MUST_USE          __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Values are part of the gate-keep protocol: append, never renumber. */
enum err {
	E_OK = 0,
	E_IO = -1,           /* the system or a disk failed us */
	E_NOMEM = -2,        /* no memory */
	E_GONE = -3,         /* no such file, object, user, … (or one that may not be seen) */
	E_EXISTS = -4,       /* it is there already */
	E_DENIED = -5,       /* policy says no */
	E_INVALID = -6,      /* input that is malformed: a name, a number, a header */
	E_INTEGRITY = -7,    /* does not decrypt, does not verify, contradicts itself */
	E_FULL = -8,         /* the disk (or its reserve) is full */
	E_QUOTA = -9,        /* the zone's quota is used up */
	E_TAKEN = -10,       /* the name is in use by somebody else, or an upload is busy */
	E_NOT_EMPTY = -11,   /* folder is not empty */
	E_UNSUPPORTED = -12, /* what we do not do */
	E_AGAIN = -13,       /* not now; the same call may work later */
	E_CONFIG = -14,      /* a mistake in the configuration */
	E_PROTOCOL = -15,    /* the peer broke the protocol */
	E_LIMIT = -16,       /* over a limit of ours */
	E_IS_DIR = -17,      /* a folder where a file is needed */
	E_NOT_DIR = -18,     /* a file where a folder is needed */
	E_UNFINISHED = -19,  /* an upload in progress: resume or remove it */
	E_USAGE = -20,       /* a command line that cannot be meant */
	E_HELD = -21,        /* a legal hold forbids it */
	E_CONFLICT = -22, /* what the request supposes is not so: another offset, version, length */
	E_LAST = -22
};

/* Push a frame and return code. The sentence starts lower-case and has no full stop. */
MUST_USE int fail(enum err code, const char *format, ...) PRINTF(2, 3);

/* As fail(), with ": " and strerror(errno) appended; ENOSPC and EDQUOT become E_FULL,
 * ENOMEM becomes E_NOMEM. */
MUST_USE int fail_errno(enum err code, const char *format, ...) PRINTF(2, 3);

/* The chain of this thread, outermost first, joined by ": ". Never NULL; valid until the
 * next call of this module on this thread. */
const char *err_text(void);

/* The sentence of the innermost frame alone: what a user may be told. */
const char *err_cause(void);

/* Forget the chain. */
void err_clear(void);

/* A chain put aside while something else may fail, or for another thread. */
enum { ERR_FRAMES = 8, ERR_FRAME_SIZE = 256 };
struct err_kept {
	char frame[ERR_FRAMES][ERR_FRAME_SIZE];
	unsigned count;
};

/* Take this thread's chain, which then is empty; and have it again, here, in place of any. */
void err_keep(struct err_kept *ret_kept);
void err_bring_back(const struct err_kept *kept);

/* The table. Codes outside enum err count as E_IO. */
const char *err_word(int code);     /* "no such file" */
unsigned err_sftp_status(int code); /* SSH_FX_* (draft-ietf-secsh-filexfer-02, section 7) */
unsigned err_http_status(int code);
int err_exit_status(int code); /* sysexits */

#endif
