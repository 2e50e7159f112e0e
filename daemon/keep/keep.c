/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/keep.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/log_journal.h"
#include "base/mem.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/chores.h"
#include "daemon/keep/control.h"
#include "daemon/keep/deeds.h"
#include "daemon/keep/gate_settings.h"
#include "daemon/keep/gates.h"
#include "daemon/keep/listeners.h"
#include "daemon/keep/tls_files.h"
#include "daemon/keep/puts.h"
#include "daemon/keep/recover.h"
#include "daemon/keep/room.h"
#include "daemon/keep/service.h"

enum { NOTE_MS = 5000 };

_Noreturn void keep_die(struct keep *keep, const char *what)
{
	(void)keep;
	log_failure("cannot go on: %s", what);
	_exit(err_exit_status(E_IO)); /* no exit handlers: nothing half-done may be written */
}

/* ---- the start ---- */

/* The start is in the log before the first gate runs. */
static int record_start(struct keep *keep)
{
	struct event e = EVENT(.name = "start", .actor = "system");

	event_detail(&e,
		     json_pack("{s:s,s:b,s:b}", "version", PACKAGE_VERSION, "writer_check",
			       keep->boot->writer_check, "ballast", room_missing(keep->room) == 0));
	int rc = catalog_begin(keep->catalog);
	if (!rc)
		rc = audit_add(keep->audit, &e);
	if (!rc)
		rc = audit_before_commit(keep->audit);
	if (!rc)
		rc = catalog_commit(keep->catalog);
	if (!rc)
		audit_after_commit(keep->audit);
	return rc;
}

/* A state directory of before HTTPS has none of its own. */
static int make_tls_files(struct keep *keep)
{
	const char *path = keep->settings->certificate;

	if (!keep->settings->https_listen.count || access(path, F_OK) == 0 ||
	    !settings_own_certificate(keep->settings))
		return 0;
	log_info("making a TLS key and a certificate for it, below keys/tls");
	return tls_files_init(keep->state_fd, NULL, 0);
}

static int start(struct keep *keep)
{
	int rc = make_tls_files(keep);

	if (!rc)
		rc = gate_settings_check(keep, keep->settings);
	if (!rc)
		rc = listeners_open(keep);
	if (!rc)
		rc = record_start(keep);
	if (!rc)
		rc = control_new(keep, &keep->control);
	if (!rc)
		rc = gates_new(keep, &keep->gates);
	if (!rc)
		rc = gates_start(keep->gates);
	if (!rc)
		sweep_start(keep);
	if (!rc)
		recover_blobs(keep);
	return rc;
}

/* ---- stopping ---- */

static void close_all(struct keep *keep)
{
	gates_free(keep->gates);
	control_free(keep->control);
	deeds_close(keep->deeds);
	uv_close((uv_handle_t *)&keep->on_term, NULL);
	uv_close((uv_handle_t *)&keep->on_int, NULL);
	uv_close((uv_handle_t *)&keep->on_hup, NULL);
	uv_close((uv_handle_t *)&keep->minute, NULL);
}

/* The order of the end: gates, whatever they left to do, the record of the stop, the log, the
 * catalog's note of the log; each step is found done by the next look. */
static void look_for_end(uv_timer_t *timer)
{
	struct keep *keep = timer->data;

	if (deeds_under_way(keep->deeds) || audit_busy(keep->audit))
		return;
	switch (keep->stop_step++) {
	case 0:
		chore_record(keep, "stop", NULL, NULL);
		return;
	case 1:
		chore_note(keep, NULL);
		return;
	default:
		(void)uv_timer_stop(timer);
		close_all(keep);
	}
}

static void on_drained(struct keep *keep)
{
	(void)uv_timer_start(&keep->minute, look_for_end, 1, 5);
}

void keep_stop(struct keep *keep)
{
	if (keep->stopping)
		return;
	keep->stopping = true;
	log_info("stopping: no new connections, %zu sessions are drained",
		 keep->sessions.sessions.count);
	service_stopping();
	(void)uv_timer_stop(&keep->minute);
	control_stop(keep->control);
	listeners_close(keep);
	gates_drain(keep->gates, keep->settings->drain_ms, on_drained);
}

/* ---- signals and time ---- */

static void on_stop_signal(uv_signal_t *signal, int number)
{
	(void)number;
	keep_stop(signal->data);
}

int keep_reread(const struct keep *keep, void (*visit)(void *arg, const char *key, bool restart),
		void *arg, struct settings **ret_fresh)
{
	struct settings *fresh = NULL;
	int rc = settings_load(keep->config_path, &fresh);

	if (!rc && keep->gates) /* what the gates cannot use would be nobody's settings */
		rc = gate_settings_check(keep, fresh);
	if (rc) {
		settings_free(&fresh);
		return rc;
	}
	settings_compare(keep->settings, fresh, visit, arg);
	*ret_fresh = fresh;
	return 0;
}

void keep_use(struct keep *keep, struct settings *fresh)
{
	if (log_reopen())
		log_failure("messages go where they went");
	if (keep->settings != keep->boot)
		settings_free(&keep->settings);
	keep->settings = fresh;
	log_set_level((enum log_level)fresh->log_level);
	if (keep->gates)
		gates_configure(keep->gates);
}

static void note_key(void *arg, const char *key, bool restart)
{
	json_t *list = json_object_get(arg, restart ? "restart" : "changed");

	log_info("%s changed%s", key, restart ? "; the new value counts after a restart" : "");
	json_array_append_new(list, json_string(key));
}

static void on_reload_signal(uv_signal_t *signal, int number)
{
	struct keep *keep = signal->data;

	(void)number;
	if (keep->stopping)
		return;
	service_reloading();
	json_t *keys = json_pack("{s:[],s:[]}", "changed", "restart");
	struct settings *fresh = NULL;
	if (keep_reread(keep, note_key, keys, &fresh)) {
		log_failure("the configuration stays as it was");
		json_decref(keys);
	} else {
		keep_use(keep, fresh);
		chore_record(keep, "configuration.reload", keys, NULL);
	}
	service_ready();
}

void keep_scrub(struct keep *keep)
{
	int rc = catalog_scrub(keep->catalog);

	keep->scrub_wanted = rc == E_AGAIN;
	if (rc && rc != E_AGAIN)
		keep_die(keep, "take deleted keys off the disk");
	err_clear();
}

void keep_serving(struct keep *keep)
{
	if (keep->told_ready)
		return;
	keep->told_ready = true;
	service_ready();
	log_info("serving");
}

/* Now and then the catalog learns how far the log is, also where nothing else happens, a sweep
 * that failed is tried again, and disk, clock, and what has expired are looked at. */
static void on_minute(uv_timer_t *timer)
{
	struct keep *keep = timer->data;

	if (audit_lags_behind(keep->audit))
		chore_note(keep, NULL);
	room_watch(keep);
	expiry_watch(keep);
	if (keep->scrub_wanted)
		keep_scrub(keep);
}

static int start_handles(struct keep *keep)
{
	keep->on_term.data = keep->on_int.data = keep->on_hup.data = keep->minute.data = keep;
	(void)uv_signal_init(&keep->loop, &keep->on_term);
	(void)uv_signal_init(&keep->loop, &keep->on_int);
	(void)uv_signal_init(&keep->loop, &keep->on_hup);
	(void)uv_timer_init(&keep->loop, &keep->minute);
	if (uv_signal_start(&keep->on_term, on_stop_signal, SIGTERM) ||
	    uv_signal_start(&keep->on_int, on_stop_signal, SIGINT) ||
	    uv_signal_start(&keep->on_hup, on_reload_signal, SIGHUP) ||
	    uv_timer_start(&keep->minute, on_minute, 10, NOTE_MS))
		return fail(E_IO, "set up signals and timers");
	return 0;
}

static void free_all(struct keep *keep)
{
	audit_free(&keep->audit);
	blobs_free(&keep->blobs);
	room_free(&keep->room);
	accounts_free(&keep->accounts);
	catalog_close(&keep->catalog);
	keys_free(&keep->keys);
	slots_done(&keep->sessions.sessions);
	slots_done(&keep->sessions.uploads);
	slots_done(&keep->sessions.downloads);
	listeners_close(keep);
	sys_close(&keep->lock_fd);
	sys_close(&keep->state_fd);
	secret_free(&keep->ticket_key);
	if (keep->settings != keep->boot)
		settings_free(&keep->settings);
	settings_free(&keep->boot);
}

static int configure(struct keep *keep)
{
	int rc = settings_load(keep->config_path, &keep->settings);

	if (rc)
		return rc;
	keep->boot = keep->settings;
	log_set_level((enum log_level)keep->settings->log_level);
	if (keep->settings->jail == JAIL_REQUIRE)
		return fail(E_CONFIG,
			    "[daemon] jail=require: this version has no jail for its gates; "
			    "jail=try starts without one");
	rc = log_to(keep->settings->log);
	if (!rc)
		rc = secret_setup();
	return rc;
}

/* Nothing has been promised yet, so leaving at once is safe; the kernel closes what is open. */
static int give_up(int rc)
{
	log_failure("dropkeepd does not start");
	return err_exit_status(rc);
}

static int open_parts(struct keep *keep)
{
	int rc = configure(keep);

	if (!rc)
		rc = recover_state(keep);
	if (!rc && uv_loop_init(&keep->loop))
		rc = fail(E_IO, "set up the loop");
	if (!rc)
		rc = deeds_new(keep, &keep->loop, &keep->deeds);
	return rc;
}

int keep_open(const char *config_path, struct keep **ret_keep)
{
	struct keep *keep = mem_new(sizeof *keep);

	keep->config_path = config_path;
	keep->state_fd = keep->lock_fd = -1;
	keep->since_us = clock_utc_us();
	/* A link or a client that has gone, and a lease that somebody breaks, are no reasons to
	 * die. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGIO, SIG_IGN);
	int rc = secret_random(TICKET_KEY, &keep->ticket_key);
	if (!rc)
		rc = open_parts(keep);
	if (rc) {
		free_all(keep);
		free(keep);
		return rc;
	}
	*ret_keep = keep;
	return 0;
}

void keep_close(struct keep *keep)
{
	int left = uv_loop_close(&keep->loop);

	assert(left == 0);
	free_all(keep);
	free(keep);
}

int keep_run(const char *config_path)
{
	struct keep *keep = NULL;
	int rc = keep_open(config_path, &keep);

	if (!rc)
		rc = start_handles(keep);
	if (!rc)
		rc = start(keep);
	if (rc)
		return give_up(rc);
	(void)uv_run(&keep->loop, UV_RUN_DEFAULT);
	keep_close(keep);
	log_info("stopped");
	return 0;
}
