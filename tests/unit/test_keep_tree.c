/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what where: every role, every operation, every kind of place, as tables. What
 * each operation does when it is allowed is in test_keep_tree_change.c.
 */
#include "tests/unit/keep_world.h"

#include "base/mem.h"

/*
 * The columns of the tables:
 *
 *	A anna   client of acme           U audi   auditor of all zones
 *	B bert   client of acme           C carl   client of beta
 *	S sam    staff of acme            N nobody without grants
 *	Z zoe    staff of all zones       D deep   acme: lr on deliverables/2024/q1,
 *	                                           w on incoming/drop/box
 */
static const char *const cast[] = {"anna", "bert", "sam", "zoe", "audi", "carl", "nobody", "deep"};

/* What is in acme. boss has all rights there; carl has a file in beta. */
static const struct thing {
	const char *who, *path;
	char kind; /* '/' folder, '.' file, '~' partial */
} things[] = {
    {"anna", "/acme/incoming/a.txt", '.'},
    {"bert", "/acme/incoming/b.txt", '.'},
    {"anna", "/acme/incoming/half.bin", '~'},
    {"anna", "/acme/incoming/adir", '/'},
    {"anna", "/acme/incoming/adir/x.txt", '.'},
    {"bert", "/acme/incoming/bdir", '/'},
    {"bert", "/acme/incoming/bdir/y.txt", '.'},
    {"anna", "/acme/incoming/aempty", '/'},
    {"anna", "/acme/incoming/ahid", '/'},
    {"boss", "/acme/incoming/ahid/secret", '~'},
    {"boss", "/acme/incoming/drop", '/'},
    {"boss", "/acme/incoming/drop/box", '/'},
    {"boss", "/acme/incoming/drop/boxes", '/'},
    {"boss", "/acme/incoming/drop/box/boss.txt", '.'},
    {"deep", "/acme/incoming/drop/box/z.txt", '.'},
    {"sam", "/acme/deliverables/d.txt", '.'},
    {"sam", "/acme/deliverables/draft.txt", '~'},
    {"sam", "/acme/deliverables/dual.txt", '.'},
    {"zoe", "/acme/deliverables/dual.txt", '~'},
    {"sam", "/acme/deliverables/ddir", '/'},
    {"sam", "/acme/deliverables/ddir/e.txt", '.'},
    {"sam", "/acme/deliverables/dempty", '/'},
    {"sam", "/acme/deliverables/2024", '/'},
    {"sam", "/acme/deliverables/2024/q1", '/'},
    {"sam", "/acme/deliverables/2024/q1/r.txt", '.'},
    {"sam", "/acme/deliverables/2024/q1x", '/'},
    {"sam", "/acme/deliverables/2024/q2", '/'},
    {"boss", "/acme/own", '/'},
    {"carl", "/beta/incoming/c.txt", '.'},
};

static struct world world;

static void make_things(void)
{
	for (size_t i = 0; i < ARRAY_LEN(things); i++) {
		const struct thing *t = &things[i];
		int rc = 0;
		if (t->kind == '/')
			world_mkdir(&world, t->who, t->path);
		else if (t->kind == '.')
			rc = world_put(&world, t->who, t->path, 100 + i);
		else
			rc = world_begin(&world, t->who, t->path, 50 + i);
		if (rc)
			print_error("%s: %s\n", t->path, err_text());
		assert_int_equal(rc, 0);
	}
}

static int open_world(void **state)
{
	(void)state;
	world_open(&world);
	uint64_t acme = world_zone(&world, "acme"), beta = world_zone(&world, "beta");
	(void)world_user(&world, "anna", ROLE_CLIENT, acme);
	(void)world_user(&world, "bert", ROLE_CLIENT, acme);
	(void)world_user(&world, "sam", ROLE_STAFF, acme);
	(void)world_user(&world, "zoe", ROLE_STAFF, 0);
	(void)world_user(&world, "audi", ROLE_AUDITOR, 0);
	(void)world_user(&world, "carl", ROLE_CLIENT, beta);
	(void)world_user(&world, "nobody", 0, 0);
	(void)world_user(&world, "deep", 0, 0);
	(void)world_user(&world, "boss", 0, 0);
	world_grant(&world, "deep", acme, "deliverables/2024/q1", "lr");
	world_grant(&world, "deep", acme, "incoming/drop/box", "w");
	world_grant(&world, "boss", acme, "", "lrwodm");
	make_things();
	world_check(&world);
	return 0;
}

static int close_world(void **state)
{
	(void)state;
	world_check(&world);
	world_close(&world);
	return 0;
}

/* ---- operations ---- */

typedef int operation(const struct principal *p, const char *path, const char *to);

static int do_stat(const struct principal *p, const char *path, const char *to)
{
	CLEANUP(buf_done) struct buf names = {0};
	struct attrs a;

	(void)to;
	return tree_stat(&world.tree, p, view_text(path), &names, &a);
}

static int do_list(const struct principal *p, const char *path, const char *to)
{
	uint8_t page[8192];
	struct writer w = writer_of(page, sizeof page);
	uint64_t cursor = 0;
	bool end = false;

	(void)to;
	return tree_list(&world.tree, p, view_text(path), 0, false, &w, &cursor, &end);
}

static int do_space(const struct principal *p, const char *path, const char *to)
{
	struct answer_space space;

	(void)to;
	return tree_space(&world.tree, p, view_text(path), 1000, 500, &space);
}

static int do_get(const struct principal *p, const char *path, const char *to)
{
	struct spot s;
	int rc = tree_walk(&world.tree, p, view_text(path), false, &s);

	(void)to;
	return rc ? rc : tree_may_get(&s);
}

static int put_with(const struct principal *p, const char *path, uint8_t flags)
{
	struct spot s;
	int rc = tree_walk(&world.tree, p, view_text(path), true, &s);

	return rc ? rc : tree_may_put(p, &s, flags);
}

static int do_put(const struct principal *p, const char *path, const char *to)
{
	(void)to;
	return put_with(p, path, PUT_CREATE | PUT_TRUNCATE);
}

static int do_reopen(const struct principal *p, const char *path, const char *to)
{
	(void)to;
	return put_with(p, path, 0);
}

static int do_put_new(const struct principal *p, const char *path, const char *to)
{
	(void)to;
	return put_with(p, path, PUT_CREATE | PUT_EXCLUSIVE);
}

static int do_mkdir(const struct principal *p, const char *path, const char *to)
{
	struct change c;

	(void)to;
	return tree_make_dir(&world.tree, p, view_text(path), &c);
}

static int do_rmdir(const struct principal *p, const char *path, const char *to)
{
	struct change c;

	(void)to;
	return tree_remove_dir(&world.tree, p, view_text(path), &c);
}

static int do_rm(const struct principal *p, const char *path, const char *to)
{
	struct change c;

	(void)to;
	return tree_remove(&world.tree, p, view_text(path), &c);
}

static int do_touch(const struct principal *p, const char *path, const char *to)
{
	struct change c;

	(void)to;
	return tree_set_attrs(&world.tree, p, view_text(path), 12345, SIZE_UNKNOWN, &c);
}

static int do_rename(const struct principal *p, const char *path, const char *to)
{
	struct change c;

	return tree_rename(&world.tree, p, view_text(path), view_text(to), false, &c);
}

static int do_replace(const struct principal *p, const char *path, const char *to)
{
	struct change c;

	return tree_rename(&world.tree, p, view_text(path), view_text(to), true, &c);
}

/* ---- the machinery ---- */

static char letter(int rc)
{
	static const struct {
		int rc;
		char letter;
	} letters[] = {
	    {0, '+'},           {E_GONE, 'g'},    {E_DENIED, 'd'},  {E_TAKEN, 't'},
	    {E_EXISTS, 'x'},    {E_IS_DIR, 'i'},  {E_NOT_DIR, 'n'}, {E_UNFINISHED, 'u'},
	    {E_NOT_EMPTY, 'e'}, {E_INVALID, '!'},
	};

	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (letters[i].rc == rc)
			return letters[i].letter;
	return '?';
}

/* A path, one letter for each of the cast, and the target of a rename. */
typedef const char *const row[3];

/* A refusal has its sentence and changes nothing; what is missing and what is hidden have the
 * same sentence. */
static char try_one(operation *run, row *r, const char *user, const struct buf *before)
{
	CLEANUP(buf_done) struct buf after = {0};

	err_clear();
	assert_int_equal(catalog_savepoint(world.catalog), 0);
	int rc = run(world_who(&world, user), (*r)[0], (*r)[2]);
	if (rc) {
		world_dump(&world, &after);
		assert_true(view_equal(view_buf(before), view_buf(&after)));
		assert_true(*err_cause() != '\0');
	}
	if (rc == E_GONE)
		assert_string_equal(err_cause(), "no such file");
	assert_int_equal(catalog_rollback_to(world.catalog), 0);
	err_clear();
	return letter(rc);
}

static void run_table(operation *run, row *rows, size_t count)
{
	CLEANUP(buf_done) struct buf before = {0};
	unsigned wrong = 0;

	world_dump(&world, &before);
	for (size_t i = 0; i < count; i++) {
		char got[ARRAY_LEN(cast) + 1] = "";
		for (size_t k = 0; k < ARRAY_LEN(cast); k++)
			got[k] = try_one(run, &rows[i], cast[k], &before);
		if (strcmp(got, rows[i][1]) != 0) {
			print_error("%s %s: %s instead of %s\n", rows[i][0],
				    rows[i][2] ? rows[i][2] : "", got, rows[i][1]);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

#define TABLE(name, run, ...)                          \
	static void name(void **state)                 \
	{                                              \
		static row rows[] = {__VA_ARGS__};     \
		(void)state;                           \
		run_table(run, rows, ARRAY_LEN(rows)); \
	}

/* clang-format off */
/*                                       ABSZUCND */
TABLE(stat_shows_what_may_be_seen, do_stat,
    {"/",                               "++++++++"},
    {"/acme",                           "++++ggg+"},
    {"/beta",                           "ggg+g+gg"},
    {"/gamma",                          "gggggggg"},
    {"/Acme",                           "gggggggg"},
    {"/acme/incoming",                  "++++ggg+"},
    {"/acme/deliverables",              "++++ggg+"},
    {"/acme/own",                       "gggggggg"},
    {"/acme/missing",                   "gggggggg"},
    {"/acme/incoming/a.txt",            "+g++gggg"},
    {"/acme/incoming/b.txt",            "g+++gggg"},
    {"/acme/incoming/A.TXT",            "gggggggg"},
    {"/acme/incoming/half.bin",         "+ggggggg"},
    {"/acme/incoming/missing",          "gggggggg"},
    {"/acme/incoming/a.txt/x",          "ngnngggg"},
    {"/acme/incoming/half.bin/x",       "nggggggg"},
    {"/acme/incoming/missing/x",        "gggggggg"},
    {"/acme/incoming/adir",             "+g++gggg"},
    {"/acme/incoming/adir/x.txt",       "+g++gggg"},
    {"/acme/incoming/bdir",             "g+++gggg"},
    {"/acme/incoming/bdir/y.txt",       "g+++gggg"},
    {"/acme/incoming/bdir/missing",     "gggggggg"},
    {"/acme/incoming/ahid/secret",      "gggggggg"},
    {"/acme/incoming/drop",             "gg++ggg+"},
    {"/acme/incoming/drop/box",         "gg++ggg+"},
    {"/acme/incoming/drop/boxes",       "gg++gggg"},
    {"/acme/incoming/drop/box/z.txt",   "gg++ggg+"},
    {"/acme/incoming/drop/box/boss.txt","gg++gggg"},
    {"/acme/deliverables/d.txt",        "++++gggg"},
    {"/acme/deliverables/draft.txt",    "gg+ggggg"},
    {"/acme/deliverables/dual.txt",     "++++gggg"},
    {"/acme/deliverables/2024",         "++++ggg+"},
    {"/acme/deliverables/2024/q1",      "++++ggg+"},
    {"/acme/deliverables/2024/q1/r.txt","++++ggg+"},
    {"/acme/deliverables/2024/q1x",     "++++gggg"},
    {"/acme/deliverables/2024/q2",      "++++gggg"},
    {"/acme/deliverables/2024/q1/..",   "!!!!!!!!"},
    {"/beta/incoming/c.txt",            "ggg+g+gg"},
    {"acme",                            "!!!!!!!!"},
    {"/acme/",                          "!!!!!!!!"})

TABLE(list_opens_the_folders_that_are_seen, do_list,
    {"/",                               "++++++++"},
    {"/acme",                           "++++ggg+"},
    {"/beta",                           "ggg+g+gg"},
    {"/gamma",                          "gggggggg"},
    {"/acme/incoming",                  "++++ggg+"},
    {"/acme/own",                       "gggggggg"},
    {"/acme/incoming/a.txt",            "ngnngggg"},
    {"/acme/incoming/half.bin",         "nggggggg"},
    {"/acme/incoming/adir",             "+g++gggg"},
    {"/acme/incoming/bdir",             "g+++gggg"},
    {"/acme/incoming/drop",             "gg++ggg+"},
    {"/acme/deliverables",              "++++ggg+"},
    {"/acme/deliverables/2024/q2",      "++++gggg"})

TABLE(space_is_told_where_one_may_enter, do_space,
    {"/",                               "++++++++"},
    {"/acme",                           "++++ggg+"},
    {"/beta/incoming",                  "ggg+g+gg"},
    {"/acme/incoming/b.txt",            "g+++gggg"},
    {"/gamma",                          "gggggggg"})

TABLE(get_needs_r_and_a_finished_file, do_get,
    {"/",                               "iiiiiiii"},
    {"/acme",                           "iiiigggi"},
    {"/acme/incoming",                  "iiiigggi"},
    {"/acme/incoming/a.txt",            "dg++gggg"},
    {"/acme/incoming/b.txt",            "gd++gggg"},
    {"/acme/incoming/half.bin",         "uggggggg"},
    {"/acme/incoming/missing",          "gggggggg"},
    {"/acme/incoming/drop/box/z.txt",   "gg++gggd"},
    {"/acme/incoming/drop/box/boss.txt","gg++gggg"},
    {"/acme/deliverables/d.txt",        "++++gggg"},
    {"/acme/deliverables/draft.txt",    "gguggggg"},
    {"/acme/deliverables/dual.txt",     "+++ugggg"},
    {"/acme/deliverables/2024/q1/r.txt","++++ggg+"},
    {"/beta/incoming/c.txt",            "ggg+gdgg"})

TABLE(put_needs_w_and_a_folder_of_the_zone, do_put,
    {"/",                               "iiiiiiii"},
    {"/x.txt",                          "dddddddd"},
    {"/gamma",                          "dddddddd"},
    {"/gamma/x.txt",                    "gggggggg"},
    {"/acme",                           "iiiidddi"},
    {"/beta",                           "dddididd"},
    {"/acme/x.txt",                     "ddddgggd"},
    {"/acme/own",                       "ddddgggd"},
    {"/acme/incoming",                  "iiiigggi"},
    {"/acme/incoming/new",              "++ddgggd"},
    {"/acme/incoming/a.txt",            "+tddgggd"},
    {"/acme/incoming/b.txt",            "t+ddgggd"},
    {"/acme/incoming/half.bin",         "+tddgggd"},
    {"/acme/incoming/a.txt/x",          "ngnngggg"},
    {"/acme/incoming/b.txt/x",          "gnnngggg"},
    {"/acme/incoming/missing/x",        "gggggggg"},
    {"/acme/incoming/adir",             "itiigggd"},
    {"/acme/incoming/adir/new",         "+gddgggg"},
    {"/acme/incoming/adir/x.txt",       "+gddgggg"},
    {"/acme/incoming/bdir/new",         "g+ddgggg"},
    {"/acme/incoming/bdir/y.txt",       "g+ddgggg"},
    {"/acme/incoming/ahid/secret",      "tgddgggg"},
    {"/acme/incoming/.receipts",        "ddddgggd"},
    {"/acme/incoming/.receipts2",       "++ddgggd"},
    {"/acme/incoming/drop",             "ttiigggi"},
    {"/acme/incoming/drop/new",         "ggddgggd"},
    {"/acme/incoming/drop/box/new",     "ggddggg+"},
    {"/acme/incoming/drop/box/z.txt",   "ggddggg+"},
    {"/acme/incoming/drop/box/boss.txt","ggddgggt"},
    {"/acme/incoming/drop/boxes/new",   "ggddgggg"},
    {"/acme/deliverables/new",          "dd++gggd"},
    {"/acme/deliverables/d.txt",        "dd++gggd"},
    {"/acme/deliverables/draft.txt",    "dd+tgggd"},
    {"/acme/deliverables/dual.txt",     "ddt+gggd"},
    {"/acme/deliverables/2024/q1/new",  "dd++gggd"},
    {"/acme/deliverables/2024/q2/new",  "dd++gggg"},
    {"/beta/incoming/new",              "gggdg+gg"},
    {"/beta/incoming/c.txt",            "gggdg+gg"})

TABLE(reopen_without_create_needs_a_file_that_is_seen, do_reopen,
    {"/acme/incoming/new",              "gggggggg"},
    {"/acme/incoming/a.txt",            "+gddgggg"},
    {"/acme/incoming/b.txt",            "g+ddgggg"},
    {"/acme/incoming/half.bin",         "+ggggggg"},
    {"/acme/deliverables/d.txt",        "dd++gggg"},
    {"/acme/deliverables/draft.txt",    "gg+ggggg"})

TABLE(put_exclusive_refuses_what_is_seen, do_put_new,
    {"/acme/incoming/new",              "++ddgggd"},
    {"/acme/incoming/a.txt",            "xtxxgggd"},
    {"/acme/incoming/half.bin",         "xtddgggd"},
    {"/acme/deliverables/d.txt",        "xxxxgggd"},
    {"/acme/deliverables/draft.txt",    "ddxtgggd"})

TABLE(make_dir_needs_w_or_m, do_mkdir,
    {"/",                               "xxxxxxxx"},
    {"/gamma",                          "dddddddd"},
    {"/acme",                           "xxxxdddx"},
    {"/beta",                           "dddxdxdd"},
    {"/acme/new",                       "ddddgggd"},
    {"/acme/own",                       "ddddgggd"},
    {"/acme/incoming",                  "xxxxgggx"},
    {"/acme/incoming/new",              "++ddgggd"},
    {"/acme/incoming/.receipts",        "ddddgggd"},
    {"/acme/incoming/adir",             "xtxxgggd"},
    {"/acme/incoming/adir/new",         "+gddgggg"},
    {"/acme/incoming/a.txt",            "xtxxgggd"},
    {"/acme/incoming/half.bin",         "xtddgggd"},
    {"/acme/incoming/a.txt/new",        "ngnngggg"},
    {"/acme/incoming/missing/new",      "gggggggg"},
    {"/acme/incoming/drop/box",         "ggxxgggx"},
    {"/acme/incoming/drop/box/new",     "ggddggg+"},
    {"/acme/deliverables/new",          "dd++gggd"},
    {"/acme/deliverables/draft.txt",    "ddxtgggd"},
    {"/acme/deliverables/2024/q1/new",  "dd++gggd"})

TABLE(remove_dir_needs_d_or_having_made_it, do_rmdir,
    {"/",                               "dddddddd"},
    {"/gamma",                          "gggggggg"},
    {"/acme",                           "ddddgggd"},
    {"/acme/incoming",                  "ddddgggd"},
    {"/acme/deliverables",              "ddddgggd"},
    {"/acme/own",                       "gggggggg"},
    {"/acme/incoming/adir",             "egddgggg"},
    {"/acme/incoming/aempty",           "+gddgggg"},
    {"/acme/incoming/ahid",             "egddgggg"},
    {"/acme/incoming/a.txt",            "ngnngggg"},
    {"/acme/incoming/half.bin",         "nggggggg"},
    {"/acme/incoming/drop/box",         "ggddgggd"},
    {"/acme/incoming/missing",          "gggggggg"},
    {"/acme/deliverables/ddir",         "ddeegggg"},
    {"/acme/deliverables/dempty",       "dd++gggg"},
    {"/acme/deliverables/2024/q1",      "ddeegggd"},
    {"/acme/deliverables/2024/q2",      "dd++gggg"})

TABLE(remove_needs_d_or_ownership, do_rm,
    {"/",                               "iiiiiiii"},
    {"/acme",                           "iiiigggi"},
    {"/acme/incoming",                  "iiiigggi"},
    {"/acme/incoming/a.txt",            "+gddgggg"},
    {"/acme/incoming/b.txt",            "g+ddgggg"},
    {"/acme/incoming/half.bin",         "+ggggggg"},
    {"/acme/incoming/adir",             "igiigggg"},
    {"/acme/incoming/adir/x.txt",       "+gddgggg"},
    {"/acme/incoming/ahid/secret",      "gggggggg"},
    {"/acme/incoming/missing",          "gggggggg"},
    {"/acme/incoming/drop/box/z.txt",   "ggddggg+"},
    {"/acme/incoming/drop/box/boss.txt","ggddgggg"},
    {"/acme/deliverables/d.txt",        "dd++gggg"},
    {"/acme/deliverables/draft.txt",    "gg+ggggg"},
    {"/acme/deliverables/dual.txt",     "dd++gggg"},
    {"/acme/deliverables/2024/q1/r.txt","dd++gggd"})

TABLE(set_attrs_needs_o_or_ownership, do_touch,
    {"/",                               "dddddddd"},
    {"/acme",                           "ddddgggd"},
    {"/acme/incoming",                  "++ddgggd"},
    {"/acme/incoming/a.txt",            "+gddgggg"},
    {"/acme/incoming/half.bin",         "+ggggggg"},
    {"/acme/incoming/adir",             "+gddgggg"},
    {"/acme/incoming/missing",          "gggggggg"},
    {"/acme/deliverables",              "dd++gggd"},
    {"/acme/deliverables/d.txt",        "dd++gggg"},
    {"/acme/deliverables/draft.txt",    "gg+ggggg"},
    {"/acme/deliverables/2024/q1/r.txt","dd++gggd"})

TABLE(rename_needs_m_or_ownership_and_w_at_the_target, do_rename,
    {"/",                               "dddddddd", "/acme/incoming/n"},
    {"/acme",                           "ddddgggd", "/gamma"},
    {"/acme/incoming",                  "ddddgggd", "/acme/incoming2"},
    {"/acme/deliverables",              "ddddgggd", "/acme/deliverables/n"},
    {"/acme/incoming/missing",          "gggggggg", "/acme/incoming/n"},
    {"/acme/incoming/a.txt",            "+gddgggg", "/acme/incoming/n"},
    {"/acme/incoming/a.txt",            "xgddgggg", "/acme/incoming/a.txt"},
    {"/acme/incoming/a.txt",            "+gddgggg", "/acme/incoming/adir/n"},
    {"/acme/incoming/a.txt",            "ggddgggg", "/acme/incoming/bdir/n"},
    {"/acme/incoming/a.txt",            "ggddgggg", "/acme/incoming/missing/n"},
    {"/acme/incoming/a.txt",            "ngddgggg", "/acme/incoming/half.bin/n"},
    {"/acme/incoming/a.txt",            "tgddgggg", "/acme/incoming/b.txt"},
    {"/acme/incoming/a.txt",            "xgddgggg", "/acme/incoming/half.bin"},
    {"/acme/incoming/a.txt",            "xgddgggg", "/acme/incoming/adir"},
    {"/acme/incoming/a.txt",            "tgddgggg", "/acme/incoming/bdir"},
    {"/acme/incoming/a.txt",            "dgddgggg", "/acme/n"},
    {"/acme/incoming/a.txt",            "xgddgggg", "/acme"},
    {"/acme/incoming/a.txt",            "dgddgggg", "/n"},
    {"/acme/incoming/a.txt",            "xgddgggg", "/"},
    {"/acme/incoming/a.txt",            "ggddgggg", "/beta/incoming/n"},
    {"/acme/incoming/a.txt",            "dgddgggg", "/beta"},
    {"/acme/incoming/a.txt",            "dgddgggg", "/acme/incoming/.receipts"},
    {"/acme/incoming/a.txt",            "dgddgggg", "/acme/deliverables/n"},
    {"/acme/incoming/a.txt",            "xgddgggg", "/acme/deliverables/d.txt"},
    {"/acme/incoming/a.txt",            "dgddgggg", "/acme/deliverables/draft.txt"},
    {"/acme/incoming/half.bin",         "+ggggggg", "/acme/incoming/n"},
    {"/acme/incoming/half.bin",         "xggggggg", "/acme/incoming/a.txt"},
    {"/acme/incoming/adir",             "+gddgggg", "/acme/incoming/n"},
    {"/acme/incoming/adir",             "!gddgggg", "/acme/incoming/adir/n"},
    {"/acme/incoming/adir",             "xgddgggg", "/acme/incoming/adir"},
    {"/acme/incoming/adir",             "xgddgggg", "/acme/incoming/aempty"},
    {"/acme/incoming/adir",             "dgddgggg", "/acme/n"},
    {"/acme/incoming/drop/box/z.txt",   "ggddggg+", "/acme/incoming/drop/box/n"},
    {"/acme/incoming/drop/box/z.txt",   "ggddgggd", "/acme/incoming/drop/n"},
    {"/acme/incoming/drop/box/z.txt",   "ggddgggt", "/acme/incoming/drop/box/boss.txt"},
    {"/acme/deliverables/d.txt",        "dd++gggg", "/acme/deliverables/n"},
    {"/acme/deliverables/d.txt",        "dd++gggg", "/acme/deliverables/ddir/n"},
    {"/acme/deliverables/d.txt",        "ddddgggg", "/acme/incoming/n"},
    {"/acme/deliverables/d.txt",        "ddddgggg", "/acme/incoming/half.bin"},
    {"/acme/deliverables/d.txt",        "ddxtgggg", "/acme/deliverables/draft.txt"},
    {"/acme/deliverables/d.txt",        "ddxxgggg", "/acme/deliverables/dual.txt"},
    {"/acme/deliverables/dual.txt",     "ddt+gggg", "/acme/deliverables/n"},
    {"/acme/deliverables/draft.txt",    "gg+ggggg", "/acme/deliverables/n"},
    {"/acme/deliverables/ddir",         "dd++gggg", "/acme/deliverables/n"},
    {"/acme/deliverables/ddir",         "dd!!gggg", "/acme/deliverables/ddir/n"},
    {"/acme/deliverables/2024/q1",      "dd++gggd", "/acme/deliverables/n"},
    {"/acme/deliverables/d.txt",        "ddgdgggg", "/beta/incoming/n"},
    {"/acme/deliverables/d.txt",        "ddgdgggg", "/beta/deliverables/n"},
    {"/acme/deliverables/d.txt",        "ddgdgggg", "/beta/deliverables/d.txt"})

TABLE(rename_with_replace_puts_aside_what_one_may_overwrite, do_replace,
    {"/acme/incoming/a.txt",            "+gddgggg", "/acme/incoming/n"},
    {"/acme/incoming/a.txt",            "+gddgggg", "/acme/incoming/a.txt"},
    {"/acme/incoming/a.txt",            "+gddgggg", "/acme/incoming/adir/x.txt"},
    {"/acme/incoming/a.txt",            "+gddgggg", "/acme/incoming/half.bin"},
    {"/acme/incoming/a.txt",            "tgddgggg", "/acme/incoming/b.txt"},
    {"/acme/incoming/a.txt",            "xgddgggg", "/acme/incoming/aempty"},
    {"/acme/incoming/a.txt",            "tgddgggg", "/acme/incoming/bdir"},
    {"/acme/incoming/a.txt",            "dgddgggg", "/acme/deliverables/d.txt"},
    {"/acme/incoming/half.bin",         "uggggggg", "/acme/incoming/a.txt"},
    {"/acme/incoming/adir",             "xgddgggg", "/acme/incoming/a.txt"},
    {"/acme/incoming/adir",             "xgddgggg", "/acme/incoming/aempty"},
    {"/acme/incoming/drop/box/z.txt",   "ggddgggt", "/acme/incoming/drop/box/boss.txt"},
    {"/acme/deliverables/d.txt",        "dd++gggg", "/acme/deliverables/ddir/e.txt"},
    {"/acme/deliverables/d.txt",        "dd+tgggg", "/acme/deliverables/draft.txt"},
    {"/acme/deliverables/d.txt",        "ddt+gggg", "/acme/deliverables/dual.txt"},
    {"/acme/deliverables/d.txt",        "ddddgggg", "/acme/incoming/a.txt"},
    {"/acme/deliverables/draft.txt",    "gguggggg", "/acme/deliverables/d.txt"})
/* clang-format on */

/* ---- listings ---- */

/* All pages of a folder as "name name/ name~" in order of making. */
static void list_text(const char *user, const char *path, size_t page_size, struct buf *out)
{
	CLEANUP(mem_free) uint8_t *page = mem_new(page_size);
	uint64_t cursor = 0;
	bool end = false;

	while (!end) {
		struct writer w = writer_of(page, page_size);
		struct entry e;
		assert_int_equal(tree_list(&world.tree, world_who(&world, user), view_text(path),
					   cursor, false, &w, &cursor, &end),
				 0);
		assert_false(w.full);
		struct reader r = reader_of(view_of(page, w.len));
		while (entry_next(&r, &e))
			assert_int_equal(buf_printf(out, "%s%.*s%s", out->len ? " " : "",
						    (int)e.name.len, (const char *)e.name.data,
						    e.kind == NODE_DIR       ? "/"
						    : e.kind == NODE_PARTIAL ? "~"
									     : ""),
					 0);
		assert_true(reader_end(&r));
	}
}

static void list_shows_to_each_what_is_theirs(void **state)
{
	static const struct {
		const char *user, *path, *expected;
	} rows[] = {
	    {"anna", "/", "acme/"},
	    {"zoe", "/", "acme/ beta/"},
	    {"audi", "/", ""},
	    {"nobody", "/", ""},
	    {"deep", "/", "acme/"},
	    {"anna", "/acme", "incoming/ deliverables/"},
	    {"deep", "/acme", "incoming/ deliverables/"},
	    {"boss", "/acme", "incoming/ deliverables/ own/"},
	    {"anna", "/acme/incoming", "a.txt half.bin~ adir/ aempty/ ahid/"},
	    {"bert", "/acme/incoming", "b.txt bdir/"},
	    {"sam", "/acme/incoming", "a.txt b.txt adir/ bdir/ aempty/ ahid/ drop/"},
	    {"zoe", "/acme/incoming", "a.txt b.txt adir/ bdir/ aempty/ ahid/ drop/"},
	    {"deep", "/acme/incoming", "drop/"},
	    {"deep", "/acme/incoming/drop", "box/"},
	    {"deep", "/acme/incoming/drop/box", "z.txt"},
	    {"anna", "/acme/incoming/ahid", ""},
	    {"boss", "/acme/incoming/ahid", "secret~"},
	    {"sam", "/acme/incoming/ahid", ""},
	    {"anna", "/acme/deliverables", "d.txt dual.txt ddir/ dempty/ 2024/"},
	    {"sam", "/acme/deliverables", "d.txt draft.txt~ dual.txt ddir/ dempty/ 2024/"},
	    {"zoe", "/acme/deliverables", "d.txt dual.txt~ ddir/ dempty/ 2024/"},
	    {"deep", "/acme/deliverables", "2024/"},
	    {"deep", "/acme/deliverables/2024", "q1/"},
	    {"deep", "/acme/deliverables/2024/q1", "r.txt"},
	    {"carl", "/", "beta/"},
	    {"carl", "/beta/incoming", "c.txt"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		/* One big page, and pages of an entry or two. */
		for (size_t size = 100; size <= 10000; size *= 100) {
			CLEANUP(buf_done) struct buf text = {0};
			list_text(rows[i].user, rows[i].path, size, &text);
			if (!view_is(view_buf(&text), rows[i].expected))
				print_error("%s %s: '%.*s'\n", rows[i].user, rows[i].path,
					    (int)text.len, (const char *)text.data);
			assert_true(view_is(view_buf(&text), rows[i].expected));
		}
	}
}

/* What a listing shows can be looked at, and with the same result. */
static void list_and_stat_agree(void **state)
{
	static const char *const folders[] = {"/acme", "/acme/incoming", "/acme/deliverables",
					      "/acme/incoming/drop/box", "/acme/incoming/adir"};
	uint8_t page[8192];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cast) * ARRAY_LEN(folders); i++) {
		const struct principal *p = world_who(&world, cast[i / ARRAY_LEN(folders)]);
		const char *folder = folders[i % ARRAY_LEN(folders)];
		struct writer w = writer_of(page, sizeof page);
		uint64_t cursor = 0;
		struct entry e;
		bool end = false;
		if (tree_list(&world.tree, p, view_text(folder), 0, false, &w, &cursor, &end))
			continue;
		struct reader r = reader_of(view_of(page, w.len));
		while (entry_next(&r, &e)) {
			CLEANUP(buf_done) struct buf names = {0};
			CLEANUP(mem_free)
			char *path = mem_printf("%s/%.*s", folder, (int)e.name.len,
						(const char *)e.name.data);
			struct attrs a;
			assert_int_equal(tree_stat(&world.tree, p, view_text(path), &names, &a), 0);
			assert_int_equal(a.kind, e.kind);
			assert_int_equal(a.rights, e.rights);
			assert_int_equal(a.size, e.size);
			assert_int_equal(a.mtime_s, e.mtime_s);
			assert_int_equal(a.owner, e.owner);
			assert_true(view_equal(a.owner_name, e.owner_name));
		}
	}
	err_clear();
}

/* ---- sentences ---- */

static void straight_into_the_zone_names_the_way(void **state)
{
	static const char *const rows[][3] = {
	    {"anna", "/acme/x", "use incoming/"},     {"anna", "/x", "use /ZONE/incoming/"},
	    {"sam", "/acme/x", "use deliverables/"},  {"zoe", "/beta/x", "use deliverables/"},
	    {"zoe", "/x", "use /ZONE/deliverables/"}, {"boss", "/acme/x", "use incoming/"},
	    {"deep", "/acme/x", "use incoming/"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		err_clear();
		assert_int_equal(do_put(world_who(&world, rows[i][0]), rows[i][1], NULL), E_DENIED);
		assert_non_null(strstr(err_cause(), rows[i][2]));
		err_clear();
	}
	assert_int_equal(do_rename(world_who(&world, "boss"), "/acme/incoming/a.txt", "/acme/x"),
			 E_DENIED);
	assert_non_null(strstr(err_cause(), "use incoming/"));
	err_clear();
}

/* Somebody with both folders is led to the one of their role; with one, to that. */
static void straight_into_the_zone_leads_where_one_may_write(void **state)
{
	(void)state;
	assert_int_equal(catalog_savepoint(world.catalog), 0);
	world_grant(&world, "sam", 1, "incoming", "w");
	assert_int_equal(do_put(world_who(&world, "sam"), "/acme/x", NULL), E_DENIED);
	assert_non_null(strstr(err_cause(), "use deliverables/"));
	err_clear();
	world_grant(&world, "deep", 1, "deliverables", "w");
	assert_int_equal(do_put(world_who(&world, "deep"), "/acme/x", NULL), E_DENIED);
	assert_non_null(strstr(err_cause(), "use deliverables/"));
	err_clear();
	assert_int_equal(catalog_rollback_to(world.catalog), 0);
	accounts_forget(world.tree.accounts);
}

/* "Hidden" and "missing" give the same code and sentence everywhere. */
static void hidden_is_like_missing(void **state)
{
	static const struct {
		const char *user, *hidden, *missing;
	} pairs[] = {
	    {"bert", "/acme/incoming/a.txt", "/acme/incoming/zzz"},
	    {"bert", "/acme/incoming/half.bin", "/acme/incoming/zzz"},
	    {"bert", "/acme/incoming/adir", "/acme/incoming/zzz"},
	    {"bert", "/acme/incoming/adir/x.txt", "/acme/incoming/zzz/x.txt"},
	    {"anna", "/acme/deliverables/draft.txt", "/acme/deliverables/zzz"},
	    {"sam", "/acme/own", "/acme/zzz"},
	    {"sam", "/acme/incoming/half.bin", "/acme/incoming/zzz"},
	    {"anna", "/beta", "/zzz"},
	    {"anna", "/beta/incoming", "/zzz/incoming"},
	    {"anna", "/beta/incoming/c.txt", "/zzz/incoming/c.txt"},
	    {"audi", "/acme", "/zzz"},
	    {"deep", "/acme/deliverables/2024/q2", "/acme/deliverables/2024/zz"},
	};
	static operation *const operations[] = {do_stat,   do_list,  do_space,  do_get,
						do_reopen, do_rmdir, do_rm,     do_touch,
						do_put,    do_mkdir, do_put_new};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		const struct principal *p = world_who(&world, pairs[i].user);
		for (size_t k = 0; k < ARRAY_LEN(operations); k++) {
			char sentence[256];
			err_clear();
			assert_int_equal(catalog_savepoint(world.catalog), 0);
			int hidden = operations[k](p, pairs[i].hidden, NULL);
			(void)snprintf(sentence, sizeof sentence, "%s", err_cause());
			err_clear();
			int missing = operations[k](p, pairs[i].missing, NULL);
			/* Who may write there is told of a name that it is taken. */
			if (hidden == E_TAKEN) {
				assert_int_equal(missing, 0);
				assert_string_equal(sentence, "name is taken");
			} else {
				assert_int_equal(hidden, missing);
				assert_string_equal(sentence, err_cause());
			}
			assert_int_equal(catalog_rollback_to(world.catalog), 0);
		}
	}
	err_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stat_shows_what_may_be_seen),
	    cmocka_unit_test(list_opens_the_folders_that_are_seen),
	    cmocka_unit_test(list_shows_to_each_what_is_theirs),
	    cmocka_unit_test(list_and_stat_agree),
	    cmocka_unit_test(space_is_told_where_one_may_enter),
	    cmocka_unit_test(get_needs_r_and_a_finished_file),
	    cmocka_unit_test(put_needs_w_and_a_folder_of_the_zone),
	    cmocka_unit_test(reopen_without_create_needs_a_file_that_is_seen),
	    cmocka_unit_test(put_exclusive_refuses_what_is_seen),
	    cmocka_unit_test(make_dir_needs_w_or_m),
	    cmocka_unit_test(remove_dir_needs_d_or_having_made_it),
	    cmocka_unit_test(remove_needs_d_or_ownership),
	    cmocka_unit_test(set_attrs_needs_o_or_ownership),
	    cmocka_unit_test(rename_needs_m_or_ownership_and_w_at_the_target),
	    cmocka_unit_test(rename_with_replace_puts_aside_what_one_may_overwrite),
	    cmocka_unit_test(straight_into_the_zone_names_the_way),
	    cmocka_unit_test(straight_into_the_zone_leads_where_one_may_write),
	    cmocka_unit_test(hidden_is_like_missing),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
