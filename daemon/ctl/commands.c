/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands: what DESIGN.md, "Command lines", promises, and no more. */
#include "daemon/ctl/answers.h"
#include "daemon/ctl/call.h"
#include "daemon/ctl/init.h"
#include "daemon/ctl/run.h"
#include "daemon/ctl/values.h"

/* clang-format off */
#define END {NULL, NULL, NULL, NULL, 0, NULL}

static const struct param name_only[] = {
    {"NAME", NULL, "name", take_text, PARAM_NEEDED, "its name"},
    END,
};

static const struct param init_params[] = {
    {"--state", "DIR", "state", take_text, PARAM_LOCAL, "state directory (default: " DEFAULT_STATE ")"},
    {"--recovery", "FILE", "recovery", take_text, PARAM_LOCAL, "write the recovery identity to a new file instead of standard output"},
    {"--recovery-recipient", "age1...", "recipient", take_recipient, PARAM_LOCAL, "use this recovery recipient; its identity is elsewhere already"},
    {"--sftp", "ADDR:PORT", "sftp", take_addresses, PARAM_LOCAL | PARAM_MANY, "listen here for SFTP"},
    {"--https", "ADDR:PORT", "https", take_addresses, PARAM_LOCAL | PARAM_MANY, "listen here for HTTPS"},
    {"--name", "HOST", "names", take_texts, PARAM_LOCAL | PARAM_MANY, "a name of this host: the first is that of the log"},
    END,
};

static const struct param zone_add_params[] = {
    {"NAME", NULL, "name", take_text, PARAM_NEEDED, "its name: [a-z0-9][a-z0-9._-]*, 63 characters at most"},
    {"--quota", "SIZE", "quota", take_size, 0, "most bytes that it may hold: 100G (default: no limit)"},
    {"--retention", "TIME", "retention", take_seconds, 0, "how long files are kept: 90d (default: for ever)"},
    {"--no-recovery", NULL, "recovery", take_no, 0, "the recovery identity shall not open its files"},
    {"--sealed", NULL, "sealed", take_yes, PARAM_LATER, ""},
    {"--recipient", "age1...", "recipients", take_texts, PARAM_LATER, ""},
    END,
};

static const struct param zone_set_params[] = {
    {"NAME", NULL, "name", take_text, PARAM_NEEDED, "its name"},
    {"--quota", "SIZE", "quota", take_size, 0, "most bytes that it may hold; 0: no limit"},
    {"--retention", "TIME", "retention", take_seconds, 0, "how long files are kept; 0: for ever"},
    END,
};

static const struct param zone_remove_params[] = {
    {"NAME", NULL, "name", take_text, PARAM_NEEDED, "its name"},
    {"--yes", NULL, "yes", take_yes, PARAM_LOCAL, "do not ask on a terminal"},
    END,
};

static const struct param user_add_params[] = {
    {"NAME", NULL, "name", take_text, PARAM_NEEDED, "its name: [a-z0-9][a-z0-9._-]*, 63 characters at most"},
    {"--role", "ROLE", "role", take_role, PARAM_NEEDED, "client, staff or auditor: which rights it gets"},
    {"--zone", "ZONE[,ZONE...]", "zones", take_zones, PARAM_NEEDED | PARAM_MANY, "where it gets them; '*': in all zones"},
    END,
};

static const struct param key_add_params[] = {
    {"USER", NULL, "user", take_text, PARAM_NEEDED, "whose key it is"},
    {"FILE", NULL, "keys", take_keys, PARAM_NEEDED | PARAM_MANY, "OpenSSH public keys, one a line; -: standard input"},
    {"--expires", "TIME", "expires", take_seconds, 0, "from now: 90d (default: never)"},
    {"--from", "NETWORK[,NETWORK...]", "from", take_list, PARAM_MANY, "only from there: 192.0.2.0/24, 2001:db8::/32 (default: from anywhere)"},
    END,
};

static const struct param cert_add_params[] = {
    {"USER", NULL, "user", take_text, PARAM_NEEDED, "whose certificate it is"},
    {"FILE", NULL, "certificate", take_certificate, PARAM_NEEDED, "an X.509 certificate (PEM); -: standard input"},
    {"--expires", "TIME", "expires", take_seconds, 0, "from now: 90d (default: never)"},
    {"--from", "NETWORK[,NETWORK...]", "from", take_list, PARAM_MANY, "only from there: 192.0.2.0/24, 2001:db8::/32 (default: from anywhere)"},
    END,
};

static const struct param token_add_params[] = {
    {"USER", NULL, "user", take_text, PARAM_NEEDED, "who may use it"},
    {"--expires", "TIME", "expires", take_seconds, 0, "from now: 30d (default: never)"},
    {"--from", "NETWORK[,NETWORK...]", "from", take_list, PARAM_MANY, "only from there: 192.0.2.0/24, 2001:db8::/32 (default: from anywhere)"},
    END,
};

static const struct param user_enroll_params[] = {
    {"NAME", NULL, "name", take_text, PARAM_NEEDED, "who is to enrol"},
    {"--expires", "TIME", "expires", take_seconds, 0, "from now (default: 24h)"},
    {"--from", "NETWORK[,NETWORK...]", "from", take_list, PARAM_MANY, "only from there, now and with what is enrolled (default: from anywhere)"},
    END,
};

static const struct param credential_list_params[] = {
    {"USER", NULL, "user", take_text, 0, "of this user alone"},
    END,
};

static const struct param id_only[] = {
    {"ID", NULL, "id", take_number, PARAM_NEEDED, "its number, as the list says"},
    END,
};

static const struct param alerts_ack_params[] = {
    {"ID", NULL, "id", take_number, 0, "this one alone, by its number (default: all that stand)"},
    END,
};

static const struct param grant_params[] = {
    {"USER", NULL, "user", take_text, PARAM_NEEDED, "who"},
    {"ZONE[:PREFIX]", NULL, "zone", take_place, PARAM_NEEDED, "where: a zone, or a folder in it; '*': all zones"},
    {"RIGHTS", NULL, "rights", take_rights, PARAM_NEEDED, "l list, r read, w create, o overwrite, d delete, m manage, a audit"},
    END,
};

static const struct param revoke_params[] = {
    {"USER", NULL, "user", take_text, PARAM_NEEDED, "who"},
    {"ZONE[:PREFIX]", NULL, "zone", take_place, PARAM_NEEDED, "exactly as it was granted"},
    {"RIGHTS", NULL, "rights", take_rights, 0, "which (default: all)"},
    END,
};

static const struct param status_params[] = {
    {"--wait", "SECONDS", "wait", take_wait, PARAM_LOCAL, "until it serves, at most so long"},
    END,
};

static const struct param verify_params[] = {
    {"--log", "DIR", "log", take_text, PARAM_LOCAL, "a copied log directory, without the keep's help"},
    {"--key", "VKEY", "key", take_text, PARAM_LOCAL, "with --log: the log's verifier key (default: DIR/key.vkey)"},
    END,
};

static const struct param query_params[] = {
    {"--since", "TIME", "since", take_time, 0, "2026-01-31, 2026-01-31T09:00Z, or how long ago: 24h"},
    {"--until", "TIME", "until", take_time, 0, "the same; that moment itself is left out"},
    {"--zone", "ZONE", "zone", take_text, 0, "of one zone"},
    {"--user", "USER", "user", take_text, 0, "what this user did"},
    {"--event", "EVENT", "event", take_text, 0, "one kind, such as upload.complete"},
    {"--outcome", "OUTCOME", "outcome", take_text, 0, "ok, refused or failed"},
    {"--object", "ID", "object", take_text, 0, "about one file or folder"},
    {"--limit", "N", "limit", take_number, 0, "the newest N"},
    END,
};

static const struct param check_params[] = {
    {"--deep", NULL, "deep", take_yes, 0, "read, decrypt and hash every stored file"},
    {"--jail", NULL, "jail", take_yes, PARAM_LATER, ""},
    END,
};

#define LATER(w) {.words = (w), .later = true}

const struct command commands[] = {
    {"init", "make a state directory, its keys and a configuration", init_params, .run = ctl_init},
    {"zone add", "add a zone with incoming/ and deliverables/", zone_add_params, "{\"quota\":0,\"retention\":0,\"recovery\":true}", .show = show_zone},
    {"zone list", "list zones", NULL, .show = show_zones},
    {"zone show", "show a zone", name_only, .show = show_zone},
    {"zone set", "change a zone's quota or retention", zone_set_params, .show = show_zone},
    {"zone remove", "destroy a zone's keys and remove all that is in it", zone_remove_params, .run = ctl_zone_remove, .show = show_zone},
    {"user add", "add a user with the rights of a role", user_add_params, .show = show_user},
    {"user list", "list users", NULL, .show = show_users},
    {"user show", "show a user, its credentials and grants", name_only, .show = show_user},
    {"user disable", "shut a user out, at once", name_only, .show = show_user},
    {"user enable", "let a user in again", name_only, .show = show_user},
    {"user remove", "remove a user, its credentials and grants", name_only, .show = show_user},
    {"key add", "let a user in with an SSH key", key_add_params, .show = show_credentials},
    {"cert add", "let a user in with a TLS certificate", cert_add_params, .show = show_credentials},
    {"token add", "let a user in with a bearer token, which is printed alone", token_add_params, .show = show_token},
    {"user enroll", "print a link by which a user enrols a client, once", user_enroll_params, .show = show_url},
    {"credential list", "list credentials", credential_list_params, .show = show_credentials},
    {"credential remove", "remove a credential", id_only, .show = show_credential},
    {"grant", "give a user rights", grant_params, .show = show_grant},
    {"revoke", "take rights from a user", revoke_params, .show = show_grant},
    {"status", "show how the service is", status_params, .run = ctl_status, .show = show_status, .judge = judge_status},
    {"sessions", "list sessions", NULL, .show = show_sessions},
    {"kick", "end a session", id_only, .show = show_session},
    {"reload", "read the configuration again", NULL, .show = show_reload},
    {"alerts", "list what waits for your word", NULL, .show = show_alerts},
    {"alerts ack", "confirm what alerts say: what waited for this goes on", alerts_ack_params, .show = show_alerts},
    {"audit verify", "verify the log against its signed checkpoint", verify_params, .run = ctl_verify, .show = show_verification, .judge = judge_verification},
    {"audit query", "show records of the log", query_params, .show_item = show_record},
    {"check", "check catalog and stored files", check_params, "{\"deep\":false}", .show = show_check, .judge = judge_check},

    LATER("password set"),
    LATER("totp set"), LATER("top"), LATER("bans"), LATER("rotate"),
    LATER("audit report"), LATER("audit review"), LATER("audit export"), LATER("audit prove"),
    LATER("hold"), LATER("erase"), LATER("retention"), LATER("backup"), LATER("restore"),
    LATER("recover"),
    {.words = NULL},
};
/* clang-format on */
