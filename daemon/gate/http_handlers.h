/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_handlers: what answers requests, one handler for each row of http_routes.c.
 *
 *	http_plain.c    /healthz, /account, /enroll/, /receipts/
 *	http_files.c    /files/: http_download.c, http_listing.c, http_put.c
 *	http_uploads.c  /uploads
 *	http_log.c      /log/
 */
#ifndef DROPKEEP_GATE_HTTP_HANDLERS_H
#define DROPKEEP_GATE_HTTP_HANDLERS_H

#include "daemon/gate/http_exchange.h"

extern const struct http_handler http_health;
extern const struct http_handler http_account;
extern const struct http_handler http_files;
extern const struct http_handler http_enroll;
extern const struct http_handler http_receipt;
extern const struct http_handler http_log, http_records;
extern const struct http_handler http_upload, http_uploads;

#endif
