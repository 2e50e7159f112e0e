/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place: a path on the server, as people write it, ZONE:PATH, and as a URL has it.
 *
 * A name that was not checked here reaches neither a URL nor the local disk.
 */
#ifndef DROPKEEP_CLIENT_PLACE_H
#define DROPKEEP_CLIENT_PLACE_H

#include <stdbool.h>

#include "base/buf.h"

enum { NAME_MAX_BYTES = 255, PATH_MAX_BYTES = 4096, ZONE_MAX_BYTES = 63 };

struct place {
	char *zone;  /* "" alone for the list of zones, which has no path */
	char *path;  /* "incoming/plan.pdf": no slash at either end; "" for the zone itself */
	bool folder; /* it was written with a slash at its end, or is a zone */
};

/* A name in a folder: 1 to 255 bytes of UTF-8 without controls and slashes, not . or .. */
bool name_valid(struct view name);
bool zone_valid(struct view zone);

/* Whether a word of the command line means the server: it begins with a zone and a colon.
 * "./a:b" does not. */
bool place_is_meant(const char *text);

/* E_USAGE with a sentence. */
MUST_USE int place_parse(const char *text, struct place *ret_place);

/* The same place with one name more; name_valid(name) was asked before. */
void place_join(const struct place *in, const char *name, bool folder, struct place *ret_place);
void place_copy(const struct place *from, struct place *ret_place);

/* The folder that it is in. False for a zone and the list of zones, with nothing returned. */
bool place_parent(const struct place *p, struct place *ret_parent);

/* Its last name; of a zone the zone's. Borrowed. */
const char *place_name(const struct place *p);

/* On the heap: "acme:incoming/a", "/acme/incoming/a", and "/files/acme/incoming/a%20b" with
 * a slash behind it for a folder. */
char *place_text(const struct place *p);
char *place_path(const struct place *p);
char *place_url(const struct place *p, bool as_folder);

/* Percent-encode what RFC 3986 does not call unreserved; slashes stay. */
char *url_encode(const char *text);

/* For CLEANUP. */
void place_done(struct place *p);

#endif
