/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include "base/log.h"
#include "base/settings.h"

#define SETTINGS CLEANUP(settings_free) struct settings

static int parse(const char *content, struct settings **ret)
{
	EXACT v = kit_exact(content, strlen(content));

	return settings_parse(v, "d.conf", ret);
}

static void assert_mistake(const char *content, const char *sentence)
{
	struct settings *s = NULL;

	assert_says(parse(content, &s), E_CONFIG, sentence);
	assert_null(s);
}

static void defaults_are_those_of_the_manual(void **state)
{
	SETTINGS *s = NULL;

	(void)state;
	assert_ok(parse("", &s));
	assert_int_equal(s->jail, JAIL_TRY);
	assert_true(s->writer_check);
	assert_string_equal(s->state, DEFAULT_STATE);
	assert_string_equal(s->runtime, DEFAULT_RUNTIME);
	assert_string_equal(s->user, "");
	assert_int_equal(s->gates, 0);
	assert_string_equal(s->log, "stderr");
	assert_int_equal(s->log_level, LEVEL_INFO);
	assert_int_equal(s->sftp_listen.count, 2);
	assert_int_equal(address_port(&s->sftp_listen.at[0]), 2022);
	assert_string_equal(s->kex, "");
	assert_string_equal(s->banner_file, "");
	assert_int_equal(s->https_listen.count, 0);
	assert_int_equal(s->login_grace_ms, 60000);
	assert_int_equal(s->auth_tries, 6);
	assert_int_equal(s->sessions, 2000);
	assert_int_equal(s->sessions_per_user, 0);
	assert_int_equal(s->handles_per_session, 100);
	assert_int_equal(s->idle_ms, 1800000);
	assert_int_equal(s->upload_expiry_ms, 604800000);
	assert_int_equal(s->reopen_grace_ms, 604800000);
	assert_int_equal(s->expiry_cap, 1000);
	assert_int_equal(s->disk_reserve_bytes, 256 << 20);
	assert_int_equal(s->disk_ballast_bytes, 16 << 20);
	assert_int_equal(s->drain_ms, 30000);
	assert_string_equal(s->origin, "");
	assert_int_equal(s->checkpoint_interval_ms, 60000);
}

static void keys_are_found_below_the_state_unless_named(void **state)
{
	SETTINGS *s = NULL;
	SETTINGS *t = NULL;

	(void)state;
	assert_ok(parse("[daemon]\nstate = /srv/drop/\n", &s));
	assert_string_equal(s->state, "/srv/drop");
	assert_string_equal(s->master_path, "/srv/drop/keys/master.key");
	assert_int_equal(s->host_key.count, 1);
	assert_string_equal(s->host_key.at[0], "/srv/drop/keys/ssh_host_ed25519_key");
	assert_ok(parse("[sftp]\nhost_key = /k/one /k/two\n[keys]\nmaster = file:/k/master\n", &t));
	assert_string_equal(t->master_path, "/k/master");
	assert_int_equal(t->host_key.count, 2);
	assert_string_equal(t->host_key.at[1], "/k/two");
}

static void master_keys_elsewhere_are_refused_clearly(void **state)
{
	(void)state;
	assert_mistake("[keys]\nmaster = credential:master\n",
		       "reads the master key from a file only");
	assert_mistake("[keys]\nmaster = passphrase\n", "reads the master key from a file only");
	assert_mistake("[keys]\nmaster = /k/master\n", "d.conf: master = /k/master: not file:");
	assert_mistake("[keys]\nmaster = file:master\n", "not file: and a path");
	assert_mistake("[keys]\nmaster = file:\n", "not file: and a path");
}

static void logs_go_where_they_can(void **state)
{
	SETTINGS *s = NULL;
	SETTINGS *t = NULL;

	(void)state;
	assert_ok(parse("[daemon]\nlog = journal\nlog_level = debug\n", &s));
	assert_int_equal(s->log_level, LEVEL_DEBUG);
	assert_ok(parse("[daemon]\nlog = /var/log/dropkeep\n", &t));
	assert_mistake("[daemon]\nlog = file\n", "log = file: not stderr, journal or a path");
	assert_mistake("[daemon]\nlog =\n", "not stderr");
	assert_mistake("[daemon]\nlog_level = loud\n", "not one of error, warning, info, debug");
}

static void mistakes_in_every_section_are_refused(void **state)
{
	(void)state;
	assert_mistake("[daemon]\njail = no\n", "d.conf:2: jail = no: not one of require, try");
	assert_mistake("[daemon]\ngates = 65\n", "not within 0 and 64");
	assert_mistake("[daemon]\nstate = drop\n", "not a path");
	assert_mistake("[daemon]\nstate = /a\nruntime = /a\n", "the same folder");
	assert_mistake("[sftp]\nlisten = 2022\n", "d.conf:2: listen = 2022");
	assert_mistake("[sftp]\nlisten =\n", "no address");
	assert_mistake("[https]\nlisten = 8443\n", "listen");
	assert_mistake("[limits]\nauth_tries = 0\n", "not within 1 and 100");
	assert_mistake("[limits]\nidle = 0\n", "not within 1s and 30d");
	assert_mistake("[limits]\ndisk_reserve = 1\n", "not within 1M");
	assert_mistake("[limits]\nlogin_grace = 60\n", "not a time");
	assert_mistake("[audit]\ncheckpoint_interval = 2h\n", "not within 1s and 1h");
	assert_mistake("[audit]\nsink = x\n", "unknown key 'sink' in section [audit]");
	assert_mistake("[backup]\n", "unknown section [backup]");
}

struct visited {
	char text[2000];
};

static void visit(void *arg, const char *key, bool restart)
{
	struct visited *v = arg;
	size_t used = strlen(v->text);

	(void)snprintf(v->text + used, sizeof v->text - used, "%s%s ", key, restart ? "!" : "");
}

static void compare_names_what_differs(void **state)
{
	SETTINGS *a = NULL;
	SETTINGS *b = NULL;
	struct visited v = {""};

	(void)state;
	assert_ok(parse("", &a));
	assert_ok(parse(
	    "[daemon]\njail = require\n[limits]\nidle = 31m\n[sftp]\nlisten = [::]:2022\n", &b));
	settings_compare(a, a, visit, &v);
	assert_string_equal(v.text, "");
	settings_compare(a, b, visit, &v);
	assert_string_equal(v.text, "daemon.jail! sftp.listen! limits.idle ");
}

/* With every "#key = value" of the sample in force nothing changes. */
static void sample_says_the_defaults(void **state)
{
	CLEANUP(buf_done) struct buf sample = {0};
	CLEANUP(mem_free)
	char *path =
	    mem_printf("%s/conf/dropkeepd.conf", getenv("top_srcdir") ? getenv("top_srcdir") : ".");
	SETTINGS *a = NULL;
	SETTINGS *b = NULL;
	struct visited v = {""};
	size_t keys = 0;

	(void)state;
	assert_ok(sys_read_file(AT_FDCWD, path, CONF_FILE_MAX, &sample));
	for (size_t i = 0; i + 1 < sample.len; i++)
		if ((i == 0 || sample.data[i - 1] == '\n') && sample.data[i] == '#' &&
		    sample.data[i + 1] >= 'a' && sample.data[i + 1] <= 'z') {
			memmove(sample.data + i, sample.data + i + 1, sample.len - i - 1);
			sample.len--;
			keys++;
		}
	assert_int_equal(keys, settings_table.count);
	assert_ok(settings_parse(view_buf(&sample), "sample", &b));
	assert_ok(parse("", &a));
	if (strcmp(DEFAULT_STATE, "/var/lib/dropkeep") == 0) {
		settings_compare(a, b, visit, &v);
		assert_string_equal(v.text, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults_are_those_of_the_manual),
	    cmocka_unit_test(keys_are_found_below_the_state_unless_named),
	    cmocka_unit_test(master_keys_elsewhere_are_refused_clearly),
	    cmocka_unit_test(logs_go_where_they_can),
	    cmocka_unit_test(mistakes_in_every_section_are_refused),
	    cmocka_unit_test(compare_names_what_differs),
	    cmocka_unit_test(sample_says_the_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
