/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values: what stands on the command line, as members of a JSON object. Each function fits
 * struct param's `take`; E_INVALID for what cannot be meant. Names of zones, users and events
 * are the keep's to judge.
 */
#ifndef DROPKEEP_CTL_VALUES_H
#define DROPKEEP_CTL_VALUES_H

#include <stdint.h>

#include "daemon/ctl/call.h"

int take_text(json_t *into, const struct param *p, const char *text);
int take_texts(json_t *into, const struct param *p, const char *text); /* one more of an array */
int take_yes(json_t *into, const struct param *p, const char *text);   /* true */
int take_no(json_t *into, const struct param *p, const char *text);    /* false */
int take_number(json_t *into, const struct param *p, const char *text);
int take_size(json_t *into, const struct param *p, const char *text);    /* "100G": bytes */
int take_seconds(json_t *into, const struct param *p, const char *text); /* "90d" */
int take_wait(json_t *into, const struct param *p, const char *text);    /* seconds, also bare */
int take_role(json_t *into, const struct param *p, const char *text);
int take_rights(json_t *into, const struct param *p, const char *text); /* letters of lrwodma */
int take_zones(json_t *into, const struct param *p, const char *text);  /* "a,b": array */
int take_list(json_t *into, const struct param *p, const char *text);   /* the same of anything */
int take_place(json_t *into, const struct param *p, const char *text);  /* "zone", "prefix" */
int take_time(json_t *into, const struct param *p, const char *text);   /* microseconds */
int take_recipient(json_t *into, const struct param *p, const char *text); /* age1... */
int take_addresses(json_t *into, const struct param *p, const char *text); /* array of text */

/* The lines of an OpenSSH public key file ("-": standard input) that are not empty or
 * comments. A private key is refused. */
int take_keys(json_t *into, const struct param *p, const char *text);

/* The text of a certificate file ("-": standard input). One with a private key in it is refused. */
int take_certificate(json_t *into, const struct param *p, const char *text);

/* "2026-01-31", "2026-01-31T23:59", "…:59Z" (always UTC), or how long ago: "24h". */
MUST_USE int time_parse(const char *text, int64_t now_us, int64_t *ret_us);

#endif
