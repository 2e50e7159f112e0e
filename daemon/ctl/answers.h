/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answers: the keep's answers as people read them: for struct command's show_item, show and
 * judge. What each object has in it: doc/PROTOCOL.control.md.
 */
#ifndef DROPKEEP_CTL_ANSWERS_H
#define DROPKEEP_CTL_ANSWERS_H

#include <jansson.h>

int show_zone(json_t *items, json_t *result);
int show_zones(json_t *items, json_t *result);
int show_user(json_t *items, json_t *result);
int show_users(json_t *items, json_t *result);
int show_credential(json_t *items, json_t *result);
int show_credentials(json_t *items, json_t *result);
int show_token(json_t *items, json_t *result); /* alone: for scripts */
int show_url(json_t *items, json_t *result);   /* the same */
int show_grant(json_t *items, json_t *result);
int show_status(json_t *items, json_t *result);
int show_session(json_t *items, json_t *result);
int show_sessions(json_t *items, json_t *result);
int show_alerts(json_t *items, json_t *result);
int show_reload(json_t *items, json_t *result);
int show_verification(json_t *items, json_t *result);
int show_check(json_t *items, json_t *result);

/* One record on one line. */
int show_record(json_t *item);

/* E_INTEGRITY, with a sentence, where problems were found; TALK_UNAVAILABLE for a keep that
 * does not serve. */
int judge_verification(json_t *result);
int judge_check(json_t *result);
int judge_status(json_t *result);

#endif
