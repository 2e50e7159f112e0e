/* SPDX-License-Identifier: Apache-2.0 */
/* The ask about an upload of one's own: UPLOAD. */
#include "daemon/keep/ask.h"

static int upload(struct deed *d)
{
	(void)d;
	return fail(E_UNSUPPORTED, "not served yet");
}

const struct deed_row answer_upload = {.name = "upload", .decide = upload, .finish = ask_finish};
