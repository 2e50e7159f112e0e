/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>

#include "base/units.h"

/* The text before the last colon and the number behind it. */
static int split(struct view text, struct view *ret_host, uint16_t *ret_port)
{
	size_t colon = text.len;
	uint64_t port = 0;

	while (colon > 0 && text.data[colon - 1] != ':')
		colon--;
	if (colon == 0 || text.len - colon > 5 ||
	    number_parse(view_of(text.data + colon, text.len - colon), &port) || port > UINT16_MAX)
		return fail(E_INVALID, "an address without a port of 0 to 65535");
	*ret_host = view_of(text.data, colon - 1);
	*ret_port = (uint16_t)port;
	return 0;
}

int address_parse(struct view text, struct address *ret_address)
{
	struct address a;
	char host[INET6_ADDRSTRLEN] = "";
	struct view h = {0};
	uint16_t port = 0;
	int rc = split(text, &h, &port);

	if (rc)
		return rc;
	memset(&a, 0, sizeof a);
	bool v6 = h.len >= 2 && h.data[0] == '[' && h.data[h.len - 1] == ']';
	if (v6)
		h = view_of(h.data + 1, h.len - 2);
	if (h.len >= sizeof host || (h.len && memchr(h.data, '\0', h.len)))
		return fail(E_INVALID, "not an address in numbers");
	if (h.len)
		memcpy(host, h.data, h.len);
	if (v6) {
		a.at.v6.sin6_family = AF_INET6;
		a.at.v6.sin6_port = htons(port);
		a.len = sizeof a.at.v6;
	} else {
		a.at.v4.sin_family = AF_INET;
		a.at.v4.sin_port = htons(port);
		a.len = sizeof a.at.v4;
	}
	void *bytes = v6 ? (void *)&a.at.v6.sin6_addr : (void *)&a.at.v4.sin_addr;
	if (inet_pton(v6 ? AF_INET6 : AF_INET, host, bytes) != 1)
		return fail(E_INVALID, "not an address in numbers (127.0.0.1:2022, [::1]:2022)");
	*ret_address = a;
	return 0;
}

uint16_t address_port(const struct address *a)
{
	return ntohs(a->at.any.sa_family == AF_INET6 ? a->at.v6.sin6_port : a->at.v4.sin_port);
}

void address_text(const struct address *a, char ret_text[ADDRESS_TEXT])
{
	bool v6 = a->at.any.sa_family == AF_INET6;
	const void *bytes =
	    v6 ? (const void *)&a->at.v6.sin6_addr : (const void *)&a->at.v4.sin_addr;
	char host[INET6_ADDRSTRLEN];
	const char *p = inet_ntop(v6 ? AF_INET6 : AF_INET, bytes, host, sizeof host);

	assert(p); /* the families above and room enough leave it nothing to refuse */
	(void)snprintf(ret_text, ADDRESS_TEXT, v6 ? "[%s]:%u" : "%s:%u", p, address_port(a));
}
