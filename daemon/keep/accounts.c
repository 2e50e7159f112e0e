/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/accounts.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/keep/grants.h"
#include "daemon/keep/node.h"
#include "wire/messages.h"

enum { BUCKETS = 256 };

/* What the cache holds, in chains by number. */
struct zone_item {
	struct zone_item *next;
	struct zone zone;
};

struct principal_item {
	struct principal_item *next;
	struct principal principal;
};

struct accounts {
	struct catalog *catalog;
	const struct keys *keys;
	struct zone_item *zones[BUCKETS];
	struct principal_item *principals[BUCKETS];
	struct principal_item *outdated; /* somebody may still hold a pointer to them */
};

/* ---- the cache ---- */

int accounts_new(struct catalog *c, const struct keys *k, struct accounts **ret_accounts)
{
	struct accounts *a = mem_new(sizeof *a);

	a->catalog = c;
	a->keys = k;
	*ret_accounts = a;
	return 0;
}

const struct keys *accounts_keys(const struct accounts *a)
{
	return a->keys;
}

static void free_zones(struct zone_item **list)
{
	while (*list) {
		struct zone_item *i = *list;
		*list = i->next;
		zone_keys_unref(&i->zone.keys);
		free(i);
	}
}

static void free_principals(struct principal_item **list)
{
	while (*list) {
		struct principal_item *i = *list;
		*list = i->next;
		access_done(&i->principal.access);
		free(i);
	}
}

void accounts_forget(struct accounts *a)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		free_zones(&a->zones[i]);
		free_principals(&a->principals[i]);
	}
	free_principals(&a->outdated);
}

void accounts_free(struct accounts **a)
{
	if (!*a)
		return;
	accounts_forget(*a);
	free(*a);
	*a = NULL;
}

/* Its grants have changed: the next look-up loads it anew. */
static void outdate(struct accounts *a, uint64_t principal)
{
	struct principal_item **at = &a->principals[principal % BUCKETS];

	while (*at && (*at)->principal.row.id != principal)
		at = &(*at)->next;
	if (*at) {
		struct principal_item *i = *at;
		*at = i->next;
		i->next = a->outdated;
		a->outdated = i;
	}
}

/* ---- zones ---- */

static int use_zone(struct accounts *a, const struct zone_row *row, const struct zone **ret_zone)
{
	struct zone_item **bucket = &a->zones[row->id % BUCKETS], *i = *bucket;

	while (i && i->zone.row.id != row->id)
		i = i->next;
	if (!i) {
		struct zone_keys *keys = NULL;
		int rc = zone_keys_unwrap(a->keys, row->id, view_of(row->wrapped, row->wrapped_len),
					  &keys);
		if (rc)
			return rc;
		i = mem_new(sizeof *i);
		i->zone.keys = keys;
		i->next = *bucket;
		*bucket = i;
	}
	i->zone.row = *row;
	*ret_zone = &i->zone;
	return 0;
}

int accounts_zone_by_id(struct accounts *a, uint64_t id, const struct zone **ret_zone)
{
	struct zone_row row = {0};
	int rc = catalog_zone_by_id(a->catalog, id, &row);

	return rc ? rc : use_zone(a, &row, ret_zone);
}

static void account_text(struct view name, char ret_text[ACCOUNT_MAX + 1])
{
	memcpy(ret_text, name.data, name.len);
	ret_text[name.len] = '\0';
}

int accounts_zone_by_name(struct accounts *a, struct view name, const struct zone **ret_zone)
{
	struct zone_row row = {0};
	char text[ACCOUNT_MAX + 1];

	if (!account_name_valid(name))
		return E_GONE;
	account_text(name, text);
	int rc = catalog_zone_by_name(a->catalog, text, &row);
	return rc ? rc : use_zone(a, &row, ret_zone);
}

/* ---- principals ---- */

/* NULL for a grant on all zones; E_GONE when the grant's zone is no more. */
static int grant_zone_keys(struct accounts *a, uint64_t zone, const struct zone_keys **ret_keys)
{
	const struct zone *z = NULL;
	int rc = zone ? accounts_zone_by_id(a, zone, &z) : 0;

	if (!rc)
		*ret_keys = z ? z->keys : NULL;
	return rc;
}

static int open_grant(struct accounts *a, const struct grant_row *row, struct buf *out)
{
	const struct zone_keys *keys = NULL;
	int rc = grant_zone_keys(a, row->zone, &keys);

	return rc ? rc : grant_open_prefix(a->keys, keys, row, out);
}

static int keep_grant_row(void *arg, const struct grant_row *row)
{
	return buf_add(arg, row, sizeof *row);
}

/* Copied first and opened afterwards: opening asks the catalog for zones, which would disturb
 * a walk under way. An array of struct grant_row into ret_rows. */
static int read_grants(struct accounts *a, uint64_t principal, struct buf *ret_rows)
{
	return catalog_each_grant(a->catalog, principal, keep_grant_row, ret_rows);
}

static const struct grant_row *grant_rows(const struct buf *rows, size_t *ret_count)
{
	*ret_count = rows->len / sizeof(struct grant_row);
	return (const struct grant_row *)(const void *)rows->data;
}

static int load_grants(struct accounts *a, struct principal *p)
{
	CLEANUP(buf_done) struct buf rows = {0};
	size_t count = 0;
	int rc = read_grants(a, p->row.id, &rows);

	if (rc)
		return rc;
	const struct grant_row *row = grant_rows(&rows, &count);
	if (count)
		p->access.grants = mem_new(count * sizeof *p->access.grants);
	for (size_t i = 0; i < count; i++) {
		CLEANUP(buf_done) struct buf prefix = {0};
		rc = open_grant(a, &row[i], &prefix);
		if (rc == E_GONE)
			continue;
		if (rc)
			return rc;
		p->access.grants[p->access.count++] = (struct grant){
		    .zone = row[i].zone,
		    .prefix = mem_text_n(prefix.data, prefix.len),
		    .rights = row[i].rights,
		};
	}
	return 0;
}

static int load_principal(struct accounts *a, const struct principal_row *row,
			  const struct principal **ret_principal)
{
	struct principal_item *i = mem_new(sizeof *i);
	struct principal_item **bucket = &a->principals[row->id % BUCKETS];

	i->principal.row = *row;
	int rc = load_grants(a, &i->principal);
	if (rc) {
		free_principals(&i);
		return rc;
	}
	i->next = *bucket;
	*bucket = i;
	*ret_principal = &i->principal;
	return 0;
}

static const struct principal *cached_principal(const struct accounts *a, uint64_t id)
{
	const struct principal_item *i = a->principals[id % BUCKETS];

	while (i && i->principal.row.id != id)
		i = i->next;
	return i ? &i->principal : NULL;
}

int accounts_principal(struct accounts *a, uint64_t id, const struct principal **ret_principal)
{
	const struct principal *p = cached_principal(a, id);
	struct principal_row row = {0};

	if (p) {
		*ret_principal = p;
		return 0;
	}
	int rc = catalog_principal_by_id(a->catalog, id, &row);
	return rc ? rc : load_principal(a, &row, ret_principal);
}

int accounts_principal_by_name(struct accounts *a, struct view name,
			       const struct principal **ret_principal)
{
	struct principal_row row = {0};
	char text[ACCOUNT_MAX + 1];

	if (!account_name_valid(name))
		return E_GONE;
	account_text(name, text);
	int rc = catalog_principal_by_name(a->catalog, text, &row);
	return rc ? rc : accounts_principal(a, row.id, ret_principal);
}

/* ---- administration ---- */

static int make_folder(struct accounts *a, const struct zone_row *zone,
		       const struct zone_keys *keys, uint64_t parent, const char *name,
		       uint64_t *ret_node)
{
	struct node_row node = {.zone = zone->id, .parent = parent, .kind = NODE_DIR};
	int rc = node_make(a->catalog, a->keys, keys, view_text(name), &node);

	if (!rc)
		*ret_node = node.id;
	return rc;
}

/* The zone's number is bound into its wrapped secret, so the row comes first. */
static int furnish_zone(struct accounts *a, struct zone_row *row)
{
	CLEANUP(zone_keys_unref) struct zone_keys *keys = NULL;
	CLEANUP(buf_done) struct buf wrapped = {0};
	uint64_t folder = 0;
	int rc = zone_keys_create(a->keys, row->id, &wrapped, &keys);

	if (rc)
		return rc;
	if (wrapped.len > sizeof row->wrapped)
		return fail(E_INTEGRITY, "a wrapped zone secret that is too long");
	memcpy(row->wrapped, wrapped.data, wrapped.len);
	row->wrapped_len = wrapped.len;
	rc = make_folder(a, row, keys, 0, row->name, &row->root);
	if (!rc)
		rc = catalog_zone_set(a->catalog, row);
	if (!rc)
		rc = make_folder(a, row, keys, row->root, "incoming", &folder);
	if (!rc)
		rc = make_folder(a, row, keys, row->root, "deliverables", &folder);
	return rc;
}

static int check_account_name(const char *name, const char *what)
{
	if (account_name_valid(view_text(name)))
		return 0;
	return fail(E_INVALID,
		    "not a name for a %s: small letters, digits, '.', '_' and '-', the first a "
		    "letter or digit, "
		    "at most %d",
		    what, ACCOUNT_MAX);
}

int accounts_add_zone(struct accounts *a, const char *name, uint64_t quota_bytes,
		      int64_t retention_s, bool recovery, uint64_t *ret_zone)
{
	struct zone_row row = {.quota_bytes = quota_bytes,
			       .retention_s = retention_s,
			       .recovery = recovery,
			       .made_us = clock_utc_us()};
	struct zone_row other = {0};
	int rc = check_account_name(name, "zone");

	if (rc)
		return rc;
	rc = catalog_zone_by_name(a->catalog, name, &other);
	if (rc != E_GONE)
		return rc ? rc : fail(E_EXISTS, "zone '%s' exists already", name);
	account_text(view_text(name), row.name);
	rc = catalog_zone_add(a->catalog, &row);
	if (!rc)
		rc = furnish_zone(a, &row);
	if (!rc)
		*ret_zone = row.id;
	return rc;
}

int accounts_add_principal(struct accounts *a, const char *name, enum role role,
			   uint64_t *ret_principal)
{
	struct principal_row row = {.role = role, .made_us = clock_utc_us()}, other = {0};
	int rc = check_account_name(name, "user");

	if (rc)
		return rc;
	rc = catalog_principal_by_name(a->catalog, name, &other);
	if (rc != E_GONE)
		return rc ? rc : fail(E_EXISTS, "user '%s' exists already", name);
	account_text(view_text(name), row.name);
	rc = catalog_principal_add(a->catalog, &row);
	if (!rc)
		*ret_principal = row.id;
	return rc;
}

int accounts_grant_role(struct accounts *a, uint64_t principal, enum role role, uint64_t zone)
{
	static const struct preset {
		enum role role;
		const char *prefix;
		uint8_t rights;
	} presets[] = {
	    {ROLE_CLIENT, "incoming", RIGHT_WRITE},
	    {ROLE_CLIENT, "deliverables", RIGHT_LIST | RIGHT_READ},
	    {ROLE_STAFF, "incoming", RIGHT_LIST | RIGHT_READ},
	    {ROLE_STAFF, "deliverables",
	     RIGHT_LIST | RIGHT_READ | RIGHT_WRITE | RIGHT_OVERWRITE | RIGHT_DELETE | RIGHT_MANAGE},
	    {ROLE_AUDITOR, "", RIGHT_AUDIT},
	};
	bool known = false;
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_LEN(presets); i++)
		if (presets[i].role == role) {
			known = true;
			rc = accounts_grant(a, principal, zone, presets[i].prefix,
					    presets[i].rights);
		}
	return known ? rc : fail(E_INVALID, "no such role");
}

/* The grant of exactly that prefix, if there is one; else a row without number and rights.
 * Sealed prefixes differ each time for all zones, so they are compared opened. */
static int find_grant(struct accounts *a, uint64_t principal, uint64_t zone, struct view prefix,
		      struct grant_row *ret_row)
{
	CLEANUP(buf_done) struct buf rows = {0};
	size_t count = 0;
	int rc = read_grants(a, principal, &rows);

	if (rc)
		return rc;
	const struct grant_row *row = grant_rows(&rows, &count);
	for (size_t i = 0; i < count; i++) {
		CLEANUP(buf_done) struct buf opened = {0};
		if (row[i].zone != zone)
			continue;
		rc = open_grant(a, &row[i], &opened);
		if (rc)
			return rc;
		if (view_equal(view_buf(&opened), prefix)) {
			*ret_row = row[i];
			return 0;
		}
	}
	*ret_row = (struct grant_row){.principal = principal, .zone = zone};
	return 0;
}

static int check_parties(struct accounts *a, uint64_t principal, uint64_t zone)
{
	struct principal_row p = {0};
	struct zone_row z = {0};
	int rc = catalog_principal_by_id(a->catalog, principal, &p);

	if (rc == E_GONE)
		return fail(E_GONE, "no such user");
	if (rc || zone == 0)
		return rc;
	rc = catalog_zone_by_id(a->catalog, zone, &z);
	return rc == E_GONE ? fail(E_GONE, "no such zone") : rc;
}

/* The checks that granting and revoking share, and the row that both begin with. */
static int look_up_grant(struct accounts *a, uint64_t principal, uint64_t zone, const char *prefix,
			 uint8_t rights, struct buf *ret_prefix, struct grant_row *ret_row)
{
	if (rights == 0 || (rights & ~(unsigned)RIGHTS_ALL))
		return fail(E_INVALID, "no such rights");
	int rc = check_parties(a, principal, zone);
	if (!rc)
		rc = grant_normal_prefix(prefix, ret_prefix);
	if (!rc)
		rc = find_grant(a, principal, zone, view_buf(ret_prefix), ret_row);
	return rc;
}

int accounts_grant(struct accounts *a, uint64_t principal, uint64_t zone, const char *prefix,
		   uint8_t rights)
{
	CLEANUP(buf_done) struct buf normal = {0};
	const struct zone_keys *keys = NULL;
	struct grant_row row = {0};
	int rc = look_up_grant(a, principal, zone, prefix, rights, &normal, &row);

	if (!rc && row.id == 0)
		rc = grant_zone_keys(a, zone, &keys);
	if (!rc && row.id == 0)
		rc = grant_seal_prefix(a->keys, keys, view_buf(&normal), &row);
	row.rights |= rights;
	if (!rc)
		rc = catalog_grant_add(a->catalog, &row);
	if (!rc)
		outdate(a, principal);
	return rc;
}

int accounts_revoke(struct accounts *a, uint64_t principal, uint64_t zone, const char *prefix,
		    uint8_t rights)
{
	CLEANUP(buf_done) struct buf normal = {0};
	struct grant_row row = {0};
	int rc = look_up_grant(a, principal, zone, prefix, rights, &normal, &row);

	if (rc)
		return rc;
	if (row.id == 0)
		return fail(E_GONE, "no grant of exactly that prefix");
	row.rights &= (uint8_t)~rights;
	rc = row.rights ? catalog_grant_add(a->catalog, &row)
			: catalog_grant_remove(a->catalog, row.id);
	if (!rc)
		outdate(a, principal);
	return rc;
}

/* ---- where a session starts ---- */

struct home {
	const struct principal *principal;
	char zone[ACCOUNT_MAX + 1];
	unsigned zones;
};

static int count_home(void *arg, const struct zone_row *row)
{
	static const struct path top;
	struct home *h = arg;

	if (access_leads(&h->principal->access, row->id, &top, 0)) {
		h->zones++;
		memcpy(h->zone, row->name, sizeof h->zone);
	}
	return h->zones > 1;
}

/* Who may enter all zones starts above them, also while there is just one: a place that moves
 * when the next zone is added would break their scripts. */
static bool roams(const struct principal *p)
{
	for (size_t i = 0; i < p->access.count; i++)
		if (p->access.grants[i].zone == 0)
			return true;
	return false;
}

int accounts_home(struct accounts *a, const struct principal *p, struct buf *out)
{
	struct home h = {.principal = p};
	int rc = roams(p) ? 0 : catalog_each_zone(a->catalog, count_home, &h);

	if (rc < 0)
		return rc;
	return h.zones == 1 ? buf_printf(out, "/%s", h.zone) : buf_add_text(out, "/");
}
