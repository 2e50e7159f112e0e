/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: a profile and a connection with it, for one thread; and the requests that many
 * commands make, each of them tried again where that is worth it.
 */
#ifndef DROPKEEP_CLIENT_SESSION_H
#define DROPKEEP_CLIENT_SESSION_H

#include <jansson.h>

#include "client/call.h"
#include "client/http.h"
#include "client/listing.h"
#include "client/place.h"
#include "client/profile.h"
#include "client/retry.h"

struct session {
	const struct profile *profile; /* owned by whoever opened the first one */
	struct profile *own;
	struct http *http;
	unsigned retries;
	uint64_t rate; /* bytes a second, of each connection; 0: no limit */
};

/* From --profile, --retries and --limit, the latter shared by so many jobs. */
MUST_USE int session_open(const struct call *call, uint64_t jobs, struct session **ret_session);

/* One more connection, for another thread, of a session that outlives it. */
MUST_USE int session_another(const struct session *s, struct session **ret_session);
void session_free(struct session **s);

/* Ask, and again while that is worth it, until there is an answer: of success, or another one
 * that stands. Then as answer_judge(). For what may safely be asked twice. */
MUST_USE int session_ask(struct session *s, const struct http_request *r, const char *what,
			 struct answer *ret_answer);

/* The same for GET of a JSON object; the caller frees it. */
MUST_USE int session_json(struct session *s, const char *path, json_t **ret_object);

MUST_USE int session_list(struct session *s, const struct place *folder,
			  struct listing *ret_listing);

/* HEAD of a file: E_GONE, E_IS_DIR. */
MUST_USE int session_head(struct session *s, const struct place *file, struct answer *ret_answer);

MUST_USE int session_is_folder(struct session *s, const struct place *p, bool *ret_yes);

/* E_EXISTS when something is there already. */
MUST_USE int session_make_folder(struct session *s, const struct place *p);

/* For what may be two things: an unfinished upload goes first, and alone. Else, and where all of
 * them shall go, the other. */
MUST_USE int session_remove_once(struct session *s, const struct place *p, bool folder);
MUST_USE int session_remove(struct session *s, const struct place *p, bool folder);

/* E_EXISTS when something is there and must not be replaced. */
MUST_USE int session_move(struct session *s, const struct place *from, const struct place *to,
			  bool folder, bool replace);

#endif
