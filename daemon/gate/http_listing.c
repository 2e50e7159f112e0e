/* SPDX-License-Identifier: Apache-2.0 */
/* GET and HEAD of a folder: page after page of the keep's, told as it comes. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "daemon/gate/http_date.h"
#include "daemon/gate/http_files.h"

struct listing {
	struct exchange *x;
	struct place_asked place;
	struct ask *ask;
	uint64_t cursor;
	bool plain;        /* names alone */
	bool begun, ended; /* the text */
	bool some;         /* an entry is in it */
	struct buf text;   /* not written yet, from `sent` on */
	size_t sent;
};

static void forget(struct exchange *x)
{
	struct listing *l = TAKE(x->state);

	if (!l)
		return;
	buf_done(&l->place.path);
	buf_done(&l->text);
	free(l);
}

/* ---- entries as text ---- */

static const char *kind_of(const struct entry *e)
{
	return e->kind == NODE_DIR ? "folder" : e->kind == NODE_PARTIAL ? "partial" : "file";
}

static void letters_of(uint8_t rights, char ret_letters[8])
{
	static const char letters[] = "lrwodma"; /* in the order of their bits */
	size_t n = 0;

	for (size_t i = 0; i < sizeof letters - 1; i++)
		if (rights & 1u << i)
			ret_letters[n++] = letters[i];
	ret_letters[n] = '\0';
}

static int add_hash(struct view sha256, struct buf *out)
{
	int rc = sha256.len ? buf_add_text(out, ",\"sha256\":\"") : 0;

	for (size_t i = 0; i < sha256.len && !rc; i++)
		rc = buf_printf(out, "%02x", sha256.data[i]);
	return rc || !sha256.len ? rc : buf_add_text(out, "\"");
}

static int add_json(struct listing *l, const struct entry *e)
{
	char when[HTTP_DATE], letters[8];
	struct buf *out = &l->text;
	int rc = buf_add_text(out, l->some ? ",\n {\"name\":" : "\n {\"name\":");

	date_write_iso(e->mtime_s, when);
	letters_of(e->rights, letters);
	if (!rc)
		rc = json_string_write(e->name, out);
	if (!rc)
		rc = buf_printf(out, ",\"type\":\"%s\"", kind_of(e));
	if (!rc && e->kind != NODE_DIR)
		rc = buf_printf(out, ",\"size\":%" PRIu64, e->size);
	if (!rc)
		rc = buf_printf(out, ",\"modified\":\"%s\"", when);
	if (!rc)
		rc = add_hash(e->sha256, out);
	if (!rc)
		rc = buf_add_text(out, ",\"owner\":");
	if (!rc)
		rc = json_string_write(e->owner_name, out);
	return rc ? rc : buf_printf(out, ",\"rights\":\"%s\"}", letters);
}

static int add_plain(struct listing *l, const struct entry *e)
{
	int rc = buf_add(&l->text, e->name.data, e->name.len);

	return rc ? rc : buf_add_text(&l->text, e->kind == NODE_DIR ? "/\n" : "\n");
}

static int begin_text(struct listing *l)
{
	CLEANUP(buf_done) struct buf path = {0};
	struct view v = view_buf(&l->place.path);
	int rc = buf_add(&path, v.data, v.len);

	l->begun = true;
	if (!rc && v.len > 1)
		rc = buf_add_text(&path, "/");
	if (!rc && !l->plain)
		rc = buf_add_text(&l->text, "{\"path\":");
	if (!rc && !l->plain)
		rc = json_string_write(view_buf(&path), &l->text);
	return rc || l->plain ? rc : buf_add_text(&l->text, ",\"entries\":[");
}

static int add_page(struct listing *l, const struct answer_list *page)
{
	struct reader r = reader_of(page->entries);
	struct entry e;
	int rc = l->begun ? 0 : begin_text(l);

	while (!rc && entry_next(&r, &e)) {
		rc = l->plain ? add_plain(l, &e) : add_json(l, &e);
		l->some = true;
	}
	if (!rc && r.bad)
		rc = fail(E_PROTOCOL, "a malformed page");
	l->ended = page->end;
	l->cursor = page->cursor;
	return rc || !l->ended || l->plain ? rc : buf_add_text(&l->text, "]}\n");
}

/* ---- pages ---- */

static void on_page(void *arg, const struct answer *answer);

static void ask_page(struct listing *l)
{
	const struct ask_list m = {view_buf(&l->place.path), l->cursor, !l->plain};

	l->ask = keeper_ask_list(l->x->gate->keeper, l->x->session, &m, on_page, l);
}

static void on_page(void *arg, const struct answer *answer)
{
	struct listing *l = arg;
	struct exchange *x = l->x;
	struct answer_list page;
	int rc = answer->status;

	l->ask = NULL;
	if (!rc)
		rc = answer_list_read(answer->body, &page);
	if (!rc)
		rc = add_page(l, &page);
	if (rc) { /* a folder that has gone meanwhile breaks its listing off */
		forget(x);
		exchange_fail(x, rc, answer->status ? answer_text(answer) : "");
		err_clear();
		return;
	}
	if (!x->begun) {
		answer_begin(x, 200);
		answer_field(x, "Content-Type", "%s",
			     l->plain ? "text/plain; charset=utf-8" : "application/json");
		answer_start(x, ANSWER_OPEN);
	}
	exchange_wake(x);
}

static void produce(struct exchange *x)
{
	struct listing *l = x->state;
	size_t left = l->text.len - l->sent, room = answer_room(x);
	size_t n = left < room ? left : room;

	answer_write(x, view_of(l->text.data + l->sent, n));
	l->sent += n;
	if (l->sent < l->text.len && answer_has_body(x))
		return;
	buf_clear(&l->text);
	l->sent = 0;
	if (l->ended || !answer_has_body(x)) {
		forget(x);
		exchange_finish(x);
	} else if (!l->ask) {
		ask_page(l);
	}
}

static bool wants_plain(const struct exchange *x)
{
	const struct view *accept = exchange_field(x, "accept");

	return accept && list_has(*accept, "text/plain");
}

static void listing_begin(struct exchange *x)
{
	struct place_asked place = {0};

	if (!place_take(x, &place))
		return;
	struct listing *l = mem_new(sizeof *l);
	*l = (struct listing){.x = x, .place = place, .plain = wants_plain(x)};
	x->state = l;
	ask_page(l);
}

static void lost(struct exchange *x, const char *reason)
{
	struct listing *l = x->state;

	(void)reason;
	if (l && l->ask)
		ask_forget(TAKE(l->ask));
	forget(x);
}

const struct http_handler http_listing = {
    .name = "listing", .begin = listing_begin, .produce = produce, .lost = lost};
