/* SPDX-License-Identifier: Apache-2.0 */
/* /files/: which kind of request it is; and those that are one question to the keep. */
#include "daemon/gate/http_files.h"

#include <stdlib.h>

#include "base/mem.h"
#include "daemon/gate/http_path.h"

bool place_take(struct exchange *x, struct place_asked *ret_place)
{
	struct place_asked place = {0};
	int rc = path_from_url(x->rest, &place.path, &place.folder);

	if (rc) {
		buf_done(&place.path);
		exchange_fail(x, rc, err_cause());
		err_clear();
		return false;
	}
	*ret_place = place;
	return true;
}

/* ---- one ask, one answer ---- */

struct act {
	struct ask *ask;
	unsigned status;  /* when the keep says yes */
	int exists;       /* the code that takes the place of E_EXISTS; 0: it stands */
	struct buf where; /* for Location; empty: none */
};

static void act_free(struct exchange *x)
{
	struct act *a = TAKE(x->state);

	if (!a)
		return;
	buf_done(&a->where);
	free(a);
}

static void on_acted(void *arg, const struct answer *answer)
{
	struct exchange *x = arg;
	struct act *a = x->state;
	unsigned status = a->status;
	int rc = answer->status;
	const char *where = NULL;

	a->ask = NULL;
	if (rc == E_EXISTS && a->exists)
		rc = a->exists;
	if (!rc && a->where.len && !buf_text(&a->where, &where))
		exchange_add_field(x, "Location", "%s", where);
	act_free(x);
	if (rc)
		exchange_fail(x, rc, answer_text(answer));
	else
		exchange_answer_empty(x, status);
}

static void act_lost(struct exchange *x, const char *reason)
{
	struct act *a = x->state;

	(void)reason;
	if (a && a->ask)
		ask_forget(a->ask);
	act_free(x);
}

static struct act *act_new(struct exchange *x, unsigned status)
{
	struct act *a = mem_new(sizeof *a);

	a->status = status;
	x->state = a;
	return a;
}

static const struct http_handler acting;

static void remove_begin(struct exchange *x, const struct place_asked *place)
{
	const struct ask_remove file = {view_buf(&place->path)};
	const struct ask_remove_dir folder = {view_buf(&place->path)};
	struct keeper *k = x->gate->keeper;
	struct act *a = act_new(x, 204);

	x->handler = &acting;
	a->ask = place->folder ? keeper_ask_remove_dir(k, x->session, &folder, on_acted, x)
			       : keeper_ask_remove(k, x->session, &file, on_acted, x);
}

static void post_begin(struct exchange *x, const struct place_asked *place)
{
	const struct ask_make_dir m = {view_buf(&place->path)};

	if (!view_is(x->head->query, "mkdir")) {
		exchange_fail(x, E_INVALID, "POST makes a folder: ?mkdir");
		return;
	}
	struct act *a = act_new(x, 201);
	x->handler = &acting;
	if (path_to_url(m.path, &a->where) || buf_add_text(&a->where, "/"))
		buf_done(&a->where);
	a->ask = keeper_ask_make_dir(x->gate->keeper, x->session, &m, on_acted, x);
}

static bool read_destination(struct exchange *x, struct buf *out)
{
	const struct view *to = exchange_field(x, "destination");
	const struct view *host = exchange_field(x, "host");
	struct view rest;
	bool folder;
	int rc = to ? 0 : fail(E_INVALID, "MOVE needs Destination");

	if (!rc)
		rc = path_from_reference(*to, host ? *host : view_text(""), &rest);
	if (!rc)
		rc = path_from_url(rest, out, &folder);
	if (rc)
		exchange_fail(x, rc, err_cause());
	err_clear();
	return rc == 0;
}

/* RFC 4918, section 9.9.3: what is there gives way unless the client says otherwise. */
static void move_begin(struct exchange *x, const struct place_asked *place)
{
	const struct view *overwrite = exchange_field(x, "overwrite");
	CLEANUP(buf_done) struct buf to = {0};

	if (!read_destination(x, &to))
		return;
	bool replace = !overwrite || !view_is_word(*overwrite, "f");
	const struct ask_rename m = {view_buf(&place->path), view_buf(&to), replace};
	struct act *a = act_new(x, 204);
	x->handler = &acting;
	a->exists = replace ? 0 : E_CONFLICT;
	a->ask = keeper_ask_rename(x->gate->keeper, x->session, &m, on_acted, x);
}

static void acting_begin(struct exchange *x);

static const struct http_handler acting = {.name = "act", .begin = acting_begin, .lost = act_lost};

static void acting_begin(struct exchange *x)
{
	struct place_asked place = {0};

	if (!place_take(x, &place))
		return;
	if (exchange_is(x, METHOD_DELETE))
		remove_begin(x, &place);
	else if (exchange_is(x, METHOD_POST))
		post_begin(x, &place);
	else
		move_begin(x, &place);
	buf_done(&place.path);
}

/* ---- /files/ ---- */

static void files_begin(struct exchange *x)
{
	bool folder = !x->rest.len || x->rest.data[x->rest.len - 1] == '/';

	if (exchange_is(x, METHOD_PUT))
		x->handler = &http_put;
	else if (exchange_is(x, METHOD_GET) || exchange_is(x, METHOD_HEAD))
		x->handler = folder ? &http_listing : &http_download;
	else
		x->handler = &acting;
	x->handler->begin(x);
}

const struct http_handler http_files = {.name = "files", .begin = files_begin, .lost = act_lost};
