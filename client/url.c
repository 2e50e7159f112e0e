/* SPDX-License-Identifier: Apache-2.0 */
#include "client/url.h"

#include <curl/curl.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/sha256.h"
#include "base/text.h"

/* 43 letters of base64url (RFC 4648, section 5) without padding to padded base64. */
static int read_pin(const char *fragment, char **ret_pin)
{
	CLEANUP(buf_done) struct buf bytes = {0}, text = {0};
	CLEANUP(mem_free) char *letters = NULL;
	const char *pin = NULL;

	if (strncmp(fragment, "spki=", 5) != 0 || strpbrk(fragment, "+/"))
		return fail(E_USAGE, "what stands behind # in the URL is no key of a server");
	letters = mem_text(fragment + 5);
	for (char *c = letters; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	int rc = base64_decode(view_text(letters), BASE64_BARE, &bytes);
	if (rc || bytes.len != SHA256_SIZE)
		return fail(E_USAGE, "the server's key in the URL is not whole");
	rc = base64_encode(view_buf(&bytes), BASE64_PADDED, &text);
	if (!rc)
		rc = buf_text(&text, &pin);
	if (!rc)
		*ret_pin = mem_text(pin);
	return rc;
}

static bool code_valid(const char *path)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t len;

	if (strncmp(path, "/enroll/", 8) != 0)
		return false;
	len = strspn(path + 8, letters);
	return len >= 8 && len <= 256 && path[8 + len] == '\0';
}

/* A part of the URL as text on the heap; NULL where it has none. */
static char *part(CURLU *u, CURLUPart what)
{
	char *text = NULL, *copy = NULL;

	if (curl_url_get(u, what, &text, 0) == CURLUE_OK && text)
		copy = mem_text(text);
	curl_free(text);
	return copy;
}

static int take_apart(CURLU *u, struct enroll_url *e)
{
	CLEANUP(mem_free) char *scheme = part(u, CURLUPART_SCHEME);
	CLEANUP(mem_free) char *host = part(u, CURLUPART_HOST);
	CLEANUP(mem_free) char *port = part(u, CURLUPART_PORT);
	CLEANUP(mem_free) char *user = part(u, CURLUPART_USER);
	CLEANUP(mem_free) char *query = part(u, CURLUPART_QUERY);
	CLEANUP(mem_free) char *fragment = part(u, CURLUPART_FRAGMENT);

	e->path = part(u, CURLUPART_PATH);
	if (!scheme || strcmp(scheme, "https") != 0)
		return fail(E_USAGE, "the URL does not begin with https://");
	if (!host || user || query || !e->path || !code_valid(e->path))
		return fail(E_USAGE,
			    "this is not an enrolment URL (https://HOST/enroll/CODE#spki=...)");
	e->base = mem_printf("https://%s%s%s", host, port ? ":" : "", port ? port : "");
	return fragment ? read_pin(fragment, &e->pin) : 0;
}

int enroll_url_parse(const char *text, struct enroll_url *ret_url)
{
	CLEANUP(enroll_url_done) struct enroll_url e = {0};
	CURLU *u = curl_url();
	int rc;

	if (!u)
		return fail(E_NOMEM, "no memory for a URL");
	if (curl_url_set(u, CURLUPART_URL, text, CURLU_DISALLOW_USER) != CURLUE_OK)
		rc = fail(E_USAGE, "this is not a URL");
	else
		rc = take_apart(u, &e);
	curl_url_cleanup(u);
	if (!rc) {
		*ret_url = e;
		e = (struct enroll_url){0};
	}
	return rc;
}

void enroll_url_done(struct enroll_url *u)
{
	if (u->path)
		wipe(u->path, strlen(u->path));
	mem_free(&u->base);
	mem_free(&u->path);
	mem_free(&u->pin);
}
