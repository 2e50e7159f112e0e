/* SPDX-License-Identifier: Apache-2.0 */
/* The asks about the asker's account: ENROLL, ACCOUNT. */
#include "daemon/keep/ask.h"

static int enroll(struct deed *d)
{
	(void)d;
	return fail(E_UNSUPPORTED, "not served yet");
}

const struct deed_row answer_enroll = {.name = "enroll", .decide = enroll, .finish = ask_finish};

static int account(struct deed *d)
{
	(void)d;
	return fail(E_UNSUPPORTED, "not served yet");
}

const struct deed_row answer_account = {.name = "account", .decide = account, .finish = ask_finish};
