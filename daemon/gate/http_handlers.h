/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_handlers: what answers requests, one handler for each row of http_routes.c.
 *
 *	http_plain.c    /healthz, /account, /enroll/, /receipts/
 *	http_log.c      /log/
 *	http_files.c    /files/
 *	http_uploads.c  /uploads
 */
#ifndef DROPKEEP_GATE_HTTP_HANDLERS_H
#define DROPKEEP_GATE_HTTP_HANDLERS_H

#include "daemon/gate/http_exchange.h"

extern const struct http_handler http_health;
extern const struct http_handler http_account;
extern const struct http_handler http_enroll;
extern const struct http_handler http_receipt;

#endif
