/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Frames beyond the last are dropped: the innermost ones explain, and memory stays bounded. */
static _Thread_local struct err_kept chain;
static _Thread_local char text[ERR_FRAMES * (ERR_FRAME_SIZE + 2)];

/* SSH_FX codes of draft-ietf-secsh-filexfer-02, section 7. */
enum {
	FX_OK = 0,
	FX_NO_SUCH_FILE = 2,
	FX_PERMISSION_DENIED = 3,
	FX_FAILURE = 4,
	FX_BAD_MESSAGE = 5,
	FX_OP_UNSUPPORTED = 8,
};

static const struct row {
	const char *word;
	unsigned short sftp, http;
	int exit;
} rows[] = {
    [-E_OK] = {"ok", FX_OK, 200, 0},
    [-E_IO] = {"input or output error", FX_FAILURE, 500, 74},
    [-E_NOMEM] = {"out of memory", FX_FAILURE, 503, 75},
    [-E_GONE] = {"no such file", FX_NO_SUCH_FILE, 404, 66},
    [-E_EXISTS] = {"exists already", FX_FAILURE, 409, 73},
    [-E_DENIED] = {"permission denied", FX_PERMISSION_DENIED, 403, 77},
    [-E_INVALID] = {"invalid input", FX_FAILURE, 400, 65},
    [-E_INTEGRITY] = {"does not verify", FX_FAILURE, 500, 65},
    [-E_FULL] = {"disk full", FX_FAILURE, 507, 75},
    [-E_QUOTA] = {"quota exceeded", FX_FAILURE, 507, 75},
    [-E_TAKEN] = {"name is taken", FX_FAILURE, 409, 75},
    [-E_NOT_EMPTY] = {"folder is not empty", FX_FAILURE, 409, 73},
    [-E_UNSUPPORTED] = {"not supported", FX_OP_UNSUPPORTED, 405, 69},
    [-E_AGAIN] = {"try again later", FX_FAILURE, 503, 75},
    [-E_CONFIG] = {"configuration error", FX_FAILURE, 500, 78},
    [-E_PROTOCOL] = {"protocol error", FX_BAD_MESSAGE, 400, 76},
    [-E_LIMIT] = {"over a limit", FX_FAILURE, 429, 75},
    [-E_IS_DIR] = {"is a folder", FX_FAILURE, 409, 65},
    [-E_NOT_DIR] = {"is not a folder", FX_NO_SUCH_FILE, 404, 65},
    [-E_UNFINISHED] = {"unfinished: resume or remove", FX_FAILURE, 409, 75},
    [-E_USAGE] = {"usage", FX_FAILURE, 400, 64},
    [-E_HELD] = {"is on hold", FX_PERMISSION_DENIED, 409, 77},
    [-E_CONFLICT] = {"not as supposed", FX_FAILURE, 412, 75},
};

_Static_assert(sizeof rows / sizeof *rows == -E_LAST + 1, "every error code has a row");

static const struct row *row_of(int code)
{
	return code <= 0 && code >= E_LAST ? &rows[-code] : &rows[-E_IO];
}

static char *next_frame(void)
{
	return chain.count < ERR_FRAMES ? chain.frame[chain.count++] : NULL;
}

int fail(enum err code, const char *format, ...)
{
	char *frame = next_frame();
	va_list args;

	if (frame) {
		va_start(args, format);
		(void)vsnprintf(frame, ERR_FRAME_SIZE, format, args);
		va_end(args);
	}
	return code;
}

int fail_errno(enum err code, const char *format, ...)
{
	int reason = errno;
	char *frame = next_frame();
	va_list args;

	if (frame) {
		va_start(args, format);
		(void)vsnprintf(frame, ERR_FRAME_SIZE, format, args);
		va_end(args);
		size_t used = strlen(frame);
		(void)snprintf(frame + used, ERR_FRAME_SIZE - used, ": %s", strerror(reason));
	}
	if (reason == ENOSPC || reason == EDQUOT)
		return E_FULL;
	return reason == ENOMEM ? E_NOMEM : (int)code;
}

const char *err_text(void)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned i = chain.count; i-- > 0;) {
		int n = snprintf(text + used, sizeof text - used, "%s%s", chain.frame[i],
				 i ? ": " : "");
		if (n > 0)
			used += (size_t)n;
	}
	return text;
}

const char *err_cause(void)
{
	return chain.count ? chain.frame[0] : "";
}

void err_clear(void)
{
	chain.count = 0;
}

void err_keep(struct err_kept *ret_kept)
{
	*ret_kept = chain;
	err_clear();
}

void err_bring_back(const struct err_kept *kept)
{
	chain = *kept;
}

const char *err_word(int code)
{
	return row_of(code)->word;
}

unsigned err_sftp_status(int code)
{
	return row_of(code)->sftp;
}

unsigned err_http_status(int code)
{
	return row_of(code)->http;
}

int err_exit_status(int code)
{
	return row_of(code)->exit;
}
