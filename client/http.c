/* SPDX-License-Identifier: Apache-2.0 */
#include "client/http.h"

#include <curl/curl.h>

#include "base/mem.h"
#include "client/stop.h"

enum {
	CONNECT_MS = 20000,
	STILL_S = 120,       /* nothing moves for so long: the connection is lost */
	CONTINUE_MS = 10000, /* a server that does not know Expect gets the body after that */
	BUFFER_SIZE = 256 << 10,
};

struct http {
	CURL *curl;
	char *url;
	char error[CURL_ERROR_SIZE];

	/* Of the request that runs. */
	const struct http_request *request;
	struct answer *answer;
	bool begun; /* the sink was told */
	int failed; /* what a callback failed with */
};

void http_setup(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct http *h = arg;

	answer_take_line(h->answer, view_of(data, size * n));
	if (h->answer->headers <= HTTP_HEADERS_MAX)
		return size * n;
	h->failed = fail(E_PROTOCOL, "the server sends headers without end");
	return 0;
}

static int take_piece(struct http *h, const void *data, size_t len)
{
	const struct http_sink *sink = h->request->sink;
	struct answer *a = h->answer;

	if (!sink || a->status < 200 || a->status > 299) {
		if (a->body.len + len > HTTP_BODY_MAX)
			return fail(E_PROTOCOL, "the server's answer is too long");
		return buf_add(&a->body, data, len);
	}
	int rc = h->begun || !sink->begin ? 0 : sink->begin(sink->arg, a);
	h->begun = true;
	return rc ? rc : sink->write(sink->arg, data, len);
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http *h = arg;

	h->failed = take_piece(h, data, size * n);
	return h->failed ? 0 : size * n;
}

static size_t on_read(char *room, size_t size, size_t n, void *arg)
{
	struct http *h = arg;
	size_t len = 0;

	h->failed = h->request->body->read(h->request->body->arg, room, size * n, &len);
	return h->failed ? CURL_READFUNC_ABORT : len;
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
	struct http *h = arg;

	if (offset != 0 || origin != SEEK_SET || !h->request->body)
		return CURL_SEEKFUNC_CANTSEEK;
	h->failed = h->request->body->rewind(h->request->body->arg);
	return h->failed ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

static int on_progress(void *arg, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
		       curl_off_t ulnow)
{
	const struct http *h = arg;

	(void)dltotal;
	(void)dlnow;
	(void)ultotal;
	(void)ulnow;
	return stop_wanted() && !(h->request && h->request->most_ms);
}

/* An option that this libcurl does not take would leave a hole: none is passed over. */
#define SET(option, value)                                                               \
	do {                                                                             \
		if (curl_easy_setopt(h->curl, (option), (value)) != CURLE_OK)            \
			return fail(E_CONFIG, "this libcurl does not know %s", #option); \
	} while (0)

static int set_trust(struct http *h, const struct http_peer *peer)
{
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* Every suite of TLS 1.2 in this list makes the server show a certificate: without one
	 * there would be nothing to compare with the pin. */
	SET(CURLOPT_SSL_CIPHER_LIST, "ECDHE+AESGCM:ECDHE+CHACHA20");
	if (peer->pin) {
		CLEANUP(mem_free) char *pin = mem_printf("sha256//%s", peer->pin);
		SET(CURLOPT_PINNEDPUBLICKEY, pin);
		SET(CURLOPT_SSL_VERIFYPEER, 0L);
		SET(CURLOPT_SSL_VERIFYHOST, 0L);
	} else {
		SET(CURLOPT_SSL_VERIFYPEER, 1L);
		SET(CURLOPT_SSL_VERIFYHOST, 2L);
	}
	if (peer->certificate) {
		SET(CURLOPT_SSLCERT, peer->certificate);
		SET(CURLOPT_SSLKEY, peer->key);
	}
	return 0;
}

static int set_rest(struct http *h)
{
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_USERAGENT, "dropkeep/" PACKAGE_VERSION);
	SET(CURLOPT_ERRORBUFFER, h->error);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, (long)STILL_S);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_EXPECT_100_TIMEOUT_MS, (long)CONTINUE_MS);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_SIZE);
	SET(CURLOPT_BUFFERSIZE, (long)BUFFER_SIZE);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, h);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, h);
	SET(CURLOPT_READFUNCTION, on_read);
	SET(CURLOPT_READDATA, h);
	SET(CURLOPT_SEEKFUNCTION, on_seek);
	SET(CURLOPT_SEEKDATA, h);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, h);
	SET(CURLOPT_NOPROGRESS, 0L);
	return 0;
}

int http_new(const struct http_peer *peer, struct http **ret_http)
{
	CLEANUP(http_free) struct http *h = mem_new(sizeof *h);

	h->curl = curl_easy_init();
	h->url = mem_text(peer->url);
	if (!h->curl)
		return fail(E_NOMEM, "libcurl does not start");
	int rc = set_trust(h, peer);
	if (!rc)
		rc = set_rest(h);
	if (!rc)
		*ret_http = TAKE(h);
	return rc;
}

void http_free(struct http **h)
{
	if (!*h)
		return;
	curl_easy_cleanup((*h)->curl);
	mem_free(&(*h)->url);
	mem_free(h);
}

static int judge_trust(int curl_code, const char *said)
{
	switch (curl_code) {
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return fail(E_PROTOCOL,
			    "the server's key is not the one of this profile: somebody may be in "
			    "between; ask the operator before you enroll again");
	case CURLE_PEER_FAILED_VERIFICATION:
		return fail(E_PROTOCOL,
			    "the server's certificate is not trusted (%s): a URL that names its "
			    "key (#spki=...) needs none",
			    said);
	case CURLE_SSL_CERTPROBLEM:
		return fail(E_CONFIG, "the profile's key or certificate cannot be used (%s)", said);
	case CURLE_SSL_CIPHER:
	case CURLE_USE_SSL_FAILED:
		return fail(E_PROTOCOL, "no TLS in common with the server (%s)", said);
	default:
		return 0;
	}
}

int http_judge(int curl_code, const char *said)
{
	int rc = judge_trust(curl_code, said);

	if (rc)
		return rc;
	switch (curl_code) {
	case CURLE_OK:
		return 0;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		return fail(CLIENT_UNREACHABLE, "the server cannot be reached (%s)", said);
	case CURLE_OUT_OF_MEMORY:
		return fail(E_NOMEM, "no memory for a request");
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_SEND_FAIL_REWIND:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_SHUTDOWN_FAILED:
	case CURLE_UPLOAD_FAILED:
		return fail(E_AGAIN, "the connection was lost (%s)", said);
	default:
		return fail(E_PROTOCOL, "the server does not speak HTTP as it should (%s)", said);
	}
}

static int set_method(struct http *h, const struct http_request *r)
{
	bool head = strcmp(r->method, "HEAD") == 0;

	SET(CURLOPT_UPLOAD, r->body ? 1L : 0L);
	SET(CURLOPT_NOBODY, head ? 1L : 0L);
	if (!r->body && !head)
		SET(CURLOPT_HTTPGET, 1L);
	SET(CURLOPT_CUSTOMREQUEST, head ? NULL : r->method);
	if (r->body)
		SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->body->size);
	SET(CURLOPT_FRESH_CONNECT, r->once ? 1L : 0L);
	SET(CURLOPT_TIMEOUT_MS, (long)r->most_ms);
	SET(CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)(r->body ? r->rate : 0));
	SET(CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)(r->sink ? r->rate : 0));
	return 0;
}

static int add_header(struct curl_slist **list, const char *text)
{
	struct curl_slist *longer = curl_slist_append(*list, text);

	if (!longer)
		return fail(E_NOMEM, "no memory for a header");
	*list = longer;
	return 0;
}

static int perform(struct http *h, struct curl_slist *headers, const char *url)
{
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_URL, url);
	h->error[0] = '\0';
	CURLcode code = curl_easy_perform(h->curl);
	SET(CURLOPT_HTTPHEADER, NULL);
	if (h->failed)
		return h->failed;
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return fail(E_AGAIN, "interrupted");
	return http_judge((int)code, h->error[0] ? h->error : curl_easy_strerror(code));
}

int http_ask(struct http *h, const struct http_request *r, struct answer *ret_answer)
{
	CLEANUP(mem_free) char *url = mem_printf("%s%s", h->url, r->path);
	struct curl_slist *headers = NULL;
	int rc = set_method(h, r);

	answer_done(ret_answer);
	h->request = r;
	h->answer = ret_answer;
	h->begun = false;
	h->failed = 0;
	for (size_t i = 0; !rc && r->headers && r->headers[i]; i++)
		rc = add_header(&headers, r->headers[i]);
	if (!rc)
		rc = perform(h, headers, url);
	curl_slist_free_all(headers);
	if (!rc && (ret_answer->status < 200 || ret_answer->status > 299))
		answer_read_problem(ret_answer);
	h->request = NULL;
	h->answer = NULL;
	return rc;
}
