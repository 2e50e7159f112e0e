/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep: the process that holds the keys. One of its kind, one loop, one thread that decides;
 * the thread pool does what would make it wait.
 */
#ifndef DROPKEEP_KEEP_KEEP_H
#define DROPKEEP_KEEP_KEEP_H

#include <uv.h>

#include "age/key.h"
#include "base/settings.h"
#include "daemon/keep/accounts.h"
#include "daemon/keep/blobs.h"
#include "daemon/keep/expiry.h"
#include "daemon/keep/flood.h"
#include "daemon/keep/recover.h"
#include "daemon/keep/session.h"
#include "daemon/keep/sweep.h"
#include "daemon/keep/tree.h"
#include "daemon/keep/turns.h"

struct audit;
struct deeds;
struct gates;
struct control;
struct room;

enum { LISTENERS_MAX = 16 };

struct keep {
	uv_loop_t loop;
	const char *config_path;
	struct settings *settings; /* as last loaded */
	struct settings *boot;     /* as at the start: what only a restart can change */
	int state_fd, lock_fd;
	struct keys *keys;
	struct catalog *catalog;
	struct accounts *accounts;
	struct tree tree;
	struct audit *audit;
	struct blobs *blobs;
	struct room *room;
	struct deeds *deeds;
	struct sessions sessions;
	struct flood failures;  /* of authentication */
	struct turns log_turns; /* of those who read records for gates */
	struct gates *gates;
	struct control *control;
	int listener[LISTENERS_MAX]; /* for SFTP; the last https_listeners of them for HTTPS */
	unsigned listeners, https_listeners;
	struct secret *ticket_key; /* of this run: what gates protect TLS session tickets with */
	bool has_recovery;
	struct age_recipient recovery;
	struct recovery found; /* at the start */
	int64_t since_us;
	bool stopping, told_ready;
	unsigned stop_step;
	struct blob_pin *pins;                  /* see sweep.h */
	bool sweeping, sweep_again, sweep_owed; /* owed: something on its list was pinned */
	struct expiry expiry;
	bool scrub_wanted; /* keys were deleted that the write-ahead log may still hold */
	uv_signal_t on_term, on_int, on_hup;
	uv_timer_t minute; /* see keep.c, on_minute() */
};

/* Open the state, bind, start gates, serve until told to stop. Returns an exit status. */
int keep_run(const char *config_path);

/* The first part of it: configuration, state and log, with a loop that nobody runs yet. config_path
 * is kept, not copied. */
MUST_USE int keep_open(const char *config_path, struct keep **ret_keep);

/* The last part: no deed and no log job may be under way, and the loop's handles are closed. */
void keep_close(struct keep *keep);

/* Make the state directory (dropkeepd --init). */
struct init_options {
	const char *recovery_recipient; /* NULL: none */
	const char *name[16];           /* of this host, for certificates and the log's origin */
	unsigned names;
};
int keep_init(const char *config_path, const struct init_options *o);

/* Begin an orderly stop: drain the gates, finish what is under way, record, end the loop. */
void keep_stop(struct keep *keep);

/* Read the configuration again: what it says now, with one call for the name of each key that
 * differs; restart: the new value counts only after one. It is in force from keep_use() on. */
MUST_USE int keep_reread(const struct keep *keep,
			 void (*visit)(void *arg, const char *key, bool restart), void *arg,
			 struct settings **ret_fresh);
void keep_use(struct keep *keep, struct settings *fresh); /* takes it */

/* A gate is ready: from the first one on we serve, and say so. */
void keep_serving(struct keep *keep);

/* Outside ticks: keys were deleted from the catalog; take the last of them off the disk, at once or
 * as soon as no reader is in the way. */
void keep_scrub(struct keep *keep);

/* What must not go wrong went wrong: say it and end at once, with nobody answered. */
_Noreturn void keep_die(struct keep *keep, const char *what);

#endif
