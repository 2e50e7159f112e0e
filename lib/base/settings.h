/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings: what dropkeepd.conf says, typed; the table of keys in settings.c is the one
 * place where a key, its default and its bounds stand. Each key is explained in
 * dropkeepd.conf(5) and conf/dropkeepd.conf.
 *
 * Immutable once loaded. A reload makes another one beside it and asks settings_compare()
 * what is different.
 */
#ifndef DROPKEEP_SETTINGS_H
#define DROPKEEP_SETTINGS_H

#include "base/conf.h"

enum jail { JAIL_REQUIRE, JAIL_TRY };

enum settings_master { MASTER_FILE, MASTER_CREDENTIAL, MASTER_PASSPHRASE };

struct settings {
	/* [daemon] */
	int jail; /* enum jail */
	bool writer_check;
	char *state;    /* absolute, without a slash at its end */
	char *runtime;  /* the same */
	char *user;     /* of gates, when started as root; empty: dropkeep, else nobody */
	uint32_t gates; /* 0: one for each processor */
	char *log;      /* "stderr", "journal", or an absolute path: for log_to() */
	int log_level;  /* enum log_level */

	/* [sftp]; empty lists of algorithms mean the built-in ones */
	struct conf_addresses sftp_listen;
	struct conf_words host_key;                                        /* paths; at least one */
	char *kex, *host_key_algorithms, *ciphers, *macs, *key_algorithms; /* a,b,c */
	char *banner_file;                                                 /* absolute, or empty */

	/* [https] */
	struct conf_addresses https_listen; /* none: HTTPS is not served */
	char *public_url, *certificate, *private_key;
	uint64_t https_idle_ms;

	/* [keys] */
	char *master;      /* as written */
	char *master_path; /* of master=file:PATH; made by settings_load() */

	/* [limits]; counts of 0 mean no limit where dropkeepd.conf(5) says so */
	uint64_t login_grace_ms;
	uint32_t auth_tries;
	uint32_t sessions; /* per gate */
	uint32_t sessions_per_user, sessions_per_address;
	uint32_t handles_per_session;
	uint64_t idle_ms, upload_expiry_ms, reopen_grace_ms, drain_ms;
	uint32_t expiry_cap; /* expired uploads that are removed within an hour */
	uint64_t disk_reserve_bytes, disk_ballast_bytes;

	/* [audit] */
	char *origin; /* empty: what init made of the host's name */
	uint64_t checkpoint_interval_ms;
};

/* E_CONFIG with file, line and key for any mistake, and for what this version does not
 * serve (master other than file:). */
MUST_USE int settings_load(const char *path, struct settings **ret_settings);

/* The same from memory; `name` stands for the file in error sentences. */
MUST_USE int settings_parse(struct view content, const char *name, struct settings **ret_settings);

/* NULL is allowed. For CLEANUP(settings_free). */
void settings_free(struct settings **s);

/* Calls visit for each key whose value differs ("limits.idle"); restart: the new value counts
 * only after one. */
void settings_compare(const struct settings *old, const struct settings *new,
		      void (*visit)(void *arg, const char *key, bool restart), void *arg);

/* Whether the TLS certificate is the one in the state directory, which the daemon makes itself. */
bool settings_own_certificate(const struct settings *s);

/* The table, for tests. */
extern const struct conf_table settings_table;

#endif
