/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fault/disk_story.h"

#include <stdio.h>
#include <string.h>

#include "daemon/keep/puts.h"

/* What may be there: a size for each name, or ABSENT or FOLDER; and how many records stand for
 * it. */
struct world {
	int64_t name[NAMES];
	unsigned completed, removed, renamed, made, expired;
};

struct witness {
	struct live live;
	struct user anna, sam;
	struct fake_gate *gate;
	uint64_t as_anna, as_sam;
	enum outcome outcome[32];
};

/* ---- what was said ---- */

static void read_journal(const char *dir, struct witness *w)
{
	CLEANUP(mem_free) char *path = mem_printf("%s/journal", dir);
	CLEANUP(buf_done) struct buf text = {0};
	const char *at;
	unsigned step;
	char what;
	int used;

	if (sys_read_file(AT_FDCWD, path, 4096, &text)) {
		err_clear();
		return; /* the keep did not even open */
	}
	assert_good(buf_text(&text, &at));
	for (; sscanf(at, "%u %c\n%n", &step, &what, &used) == 2; at += used) {
		assert_true(step < story_end);
		w->outcome[step] = what == 'b' ? CUT_OFF : what == 'd' ? DONE : REFUSED;
	}
}

static struct world after(struct world w, const struct step *s)
{
	switch (s->act) {
	case PUT:
	case RESUME:
		w.name[s->name] = (int64_t)s->size;
		w.completed++;
		break;
	case RENAME:
		w.name[s->to] = w.name[s->name];
		w.name[s->name] = ABSENT;
		w.renamed++;
		break;
	case REMOVE:
		w.name[s->name] = ABSENT;
		w.removed++;
		break;
	case MAKE_DIR:
		w.name[s->name] = FOLDER;
		w.made++;
		break;
	case EXPIRE:
		w.expired++;
		break;
	case PART:
	case PART_UNCLEAN:
		break;
	}
	return w;
}

/* ---- what is there ---- */

static int64_t seen(struct witness *w, const char *path)
{
	uint8_t kind = 0;
	uint64_t size = 0;
	int rc = stat_path(w->gate, w->as_sam, path, &kind, &size);

	if (rc == E_GONE)
		return ABSENT;
	assert_int_equal(rc, 0);
	if (kind == NODE_DIR)
		return FOLDER;
	assert_int_equal(kind, NODE_FILE); /* what is half-done nobody else sees */
	assert_true(size <= sizeof model);
	expect_content(w->gate, w->as_sam, path, model, size);
	return (int64_t)size;
}

static void look(struct witness *w, struct world *ret_world)
{
	char path[64];

	for (unsigned i = 0; i < NAMES; i++) {
		(void)snprintf(path, sizeof path, "/acme/incoming/%s", story_names[i]);
		ret_world->name[i] = seen(w, path);
	}
}

static void count(struct witness *w, struct world *ret_world)
{
	json_t *records = live_records(&w->live);

	ret_world->completed = (unsigned)records_of(records, "upload.complete", NULL);
	ret_world->removed = (unsigned)records_of(records, "file.remove", NULL);
	ret_world->renamed = (unsigned)records_of(records, "rename", NULL);
	ret_world->made = (unsigned)records_of(records, "folder.make", NULL);
	ret_world->expired = (unsigned)records_of(records, "upload.expire", NULL);
	json_decref(records);
}

static bool same(const struct world *a, const struct world *b)
{
	return memcmp(a->name, b->name, sizeof a->name) == 0 && a->completed == b->completed &&
	       a->removed == b->removed && a->renamed == b->renamed && a->made == b->made &&
	       a->expired == b->expired;
}

static void show(const char *what, const struct world *w)
{
	print_message("# %s:", what);
	for (unsigned i = 0; i < NAMES; i++)
		print_message(" %s %lld", story_names[i], (long long)w->name[i]);
	print_message("; completed %u, removed %u, renamed %u, made %u, expired %u\n", w->completed,
		      w->removed, w->renamed, w->made, w->expired);
}

/* What was acknowledged is there, what was refused is not, and of what was cut off all or
 * nothing. Each of at most two keeps was cut off in at most one step. */
static void compare(struct witness *w)
{
	struct world is = {0}, may[4] = {{.name = {ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT,
						   ABSENT, ABSENT}}};
	unsigned ways = 1;

	for (unsigned i = 0; i < story_end; i++) {
		unsigned before = ways;
		if (w->outcome[i] == CUT_OFF) {
			assert_true(ways <= 2);
			memcpy(may + ways, may, ways * sizeof *may);
			ways *= 2;
		}
		for (unsigned k = 0; k < before && w->outcome[i] >= DONE; k++)
			if (w->outcome[i] != REFUSED)
				may[k] = after(may[k], &story[i]);
	}
	look(w, &is);
	count(w, &is);
	for (unsigned k = 0; k < ways; k++)
		if (same(&is, &may[k]))
			return;
	show("is", &is);
	for (unsigned k = 0; k < ways; k++)
		show("may be", &may[k]);
	assert_true(false);
}

/* ---- what is unfinished ---- */

/* An upload of which the end was acknowledged, and after it nothing was tried. */
static void expect_part(struct witness *w, unsigned name, uint64_t size)
{
	const struct step *last = NULL;
	enum outcome how = NOT_TRIED;

	for (unsigned i = 0; i < story_end; i++)
		if (story[i].name == name && w->outcome[i] != NOT_TRIED) {
			last = &story[i];
			how = w->outcome[i];
		}
	if (last && last->act == EXPIRE && how == DONE)
		assert_true(size == UINT64_MAX);
	if (!last || how != DONE || (last->act != PART && last->act != PART_UNCLEAN))
		return;
	/* A disk that fails may cost the tail; its chunks were synced before. */
	if (last->act == PART_UNCLEAN || size != 2 * CHUNK + TAIL)
		assert_int_equal(size, 2 * CHUNK);
}

static void complete(struct witness *w, unsigned name)
{
	const uint64_t whole = 5 * CHUNK + 5;
	char path[64];
	uint8_t kind = 0;
	uint64_t size = 0;
	int rc = 0;

	(void)snprintf(path, sizeof path, "/acme/incoming/%s", story_names[name]);
	if (stat_path(w->gate, w->as_anna, path, &kind, &size) || kind != NODE_PARTIAL) {
		expect_part(w, name, UINT64_MAX);
		return;
	}
	expect_part(w, name, size);
	struct upload u = put_opened(w->gate, w->as_anna, path, 0);
	assert_int_equal(u.m.size, size);
	assert_memory_equal(u.tail, model + story_stands(&u) * CHUNK, u.tail_len);
	if (u.m.prefix)
		story_reseal(&u, u.m.prefix / CHUNK, &rc);
	assert_good(rc);
	put_seal_all(&u, model, whole, story_stands(&u));
	expect_answer(put_finish(&u, model, whole), 0, "");
	expect_content(w->gate, w->as_sam, path, model, whole);
}

int story_verify(const char *dir)
{
	struct witness w = {.live = story_live(dir),
			    .anna = story_user(dir, "anna"),
			    .sam = story_user(dir, "sam")};

	read_journal(dir, &w);
	live_open(&w.live);
	sweep_start(w.live.keep);
	w.gate = fake_gate_ready(&w.live);
	w.as_anna = gate_log_in(w.gate, &w.anna);
	w.as_sam = gate_log_in(w.gate, &w.sam);
	compare(&w);
	for (unsigned i = 0; i < NAMES; i++)
		complete(&w, i);
	put_whole(w.gate, w.as_anna, "/acme/incoming/another", model, 2 * CHUNK + 2);
	expect_content(w.gate, w.as_sam, "/acme/incoming/another", model, 2 * CHUNK + 2);
	live_check(&w.live);
	fake_gate_free(w.gate);
	live_close(&w.live);
	return 0;
}
