/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile: a server and an account on it: $XDG_CONFIG_HOME/dropkeep/NAME/ with profile.json,
 * key.pem and cert.pem, 0600 in a folder that is 0700.
 *
 * One whose key others may read, or whose profile.json they may write, is refused.
 *
 * A profile is there as a whole or not at all: it is made in a folder beside and renamed.
 * What a killed enrolment left is removed by the next one.
 */
#ifndef DROPKEEP_CLIENT_PROFILE_H
#define DROPKEEP_CLIENT_PROFILE_H

#include <stdbool.h>

#include "base/buf.h"
#include "client/http.h"

struct profile {
	char *name;
	char *url; /* "https://drop.example.org:8443" */
	char *pin; /* of the server's public key; NULL: the system's authorities count */
	char *user, *home;
	char *log_origin, *log_key; /* "drop.example.org/dropkeep/…", its verifier key */
	char *certificate, *key;    /* where the files are */
};

/* The profile that the option, DROPKEEP_PROFILE or nobody names. E_USAGE for a name that
 * cannot be; E_CONFIG with what to do where there is none or it is broken. */
MUST_USE int profile_name(const char *option, const char **ret_name);
MUST_USE int profile_load(const char *name, struct profile **ret_profile);
void profile_free(struct profile **p);

/* For http_new(); borrowed from p. */
struct http_peer profile_peer(const struct profile *p);

/* A profile in the making; one process at a time. */
struct profile_draft {
	int root;      /* the folder of profiles */
	int dir;       /* the draft's own, locked */
	char name[48]; /* of that folder; "" once it is committed or abandoned */
	char *path;
};

/* E_EXISTS unless force when there is a profile of that name. key and certificate are
 * written. */
MUST_USE int profile_draft_begin(const char *name, bool force, struct view key,
				 struct view certificate, struct profile_draft *ret_draft);

/* p->url, pin, user, home and log count; durable and under its name when it returns 0. */
MUST_USE int profile_draft_commit(struct profile_draft *d, const char *name, bool force,
				  const struct profile *p);

/* For CLEANUP: removes what was not committed. */
void profile_draft_done(struct profile_draft *d);

#endif
