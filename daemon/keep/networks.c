/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/networks.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { V4 = 4, V6 = 16, MAPPED_BITS = 8 * (V6 - V4) };

struct ip {
	unsigned len; /* V4 or V6 */
	uint8_t bytes[V6];
};

struct network {
	struct ip address;
	unsigned bits;
};

/* RFC 4291, section 2.5.5.2 */
static const uint8_t mapped[V6 - V4] = {[10] = 0xff, [11] = 0xff};

static bool is_mapped(const struct ip *a)
{
	return a->len == V6 && memcmp(a->bytes, mapped, sizeof mapped) == 0;
}

static void undress(struct ip *a)
{
	memmove(a->bytes, a->bytes + sizeof mapped, V4);
	a->len = V4;
}

static bool read_ip(struct view text, struct ip *ret_ip)
{
	char host[INET6_ADDRSTRLEN];
	struct ip a = {.len = V4};

	if (!text.len || text.len >= sizeof host || memchr(text.data, '\0', text.len))
		return false;
	memcpy(host, text.data, text.len);
	host[text.len] = '\0';
	if (memchr(host, ':', text.len))
		a.len = V6;
	if (inet_pton(a.len == V6 ? AF_INET6 : AF_INET, host, a.bytes) != 1)
		return false;
	*ret_ip = a;
	return true;
}

/* Decimal, without leading zeros: "08" is octal to some. */
static bool read_bits(struct view text, unsigned most, unsigned *ret_bits)
{
	unsigned n = 0;

	if (!text.len || text.len > 3 || (text.len > 1 && text.data[0] == '0'))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		n = n * 10 + (unsigned)(text.data[i] - '0');
	}
	*ret_bits = n;
	return n <= most;
}

/* The part of byte i that belongs to the network. */
static uint8_t mask_of(unsigned bits, unsigned i)
{
	if (bits >= 8 * (i + 1))
		return 0xff;
	return bits <= 8 * i ? 0 : (uint8_t)(0xff << (8 * (i + 1) - bits));
}

static struct network without_host(const struct network *n)
{
	struct network net = *n;

	for (unsigned i = 0; i < net.address.len; i++)
		net.address.bytes[i] &= mask_of(net.bits, i);
	return net;
}

static void write_network(const struct network *n, char ret_text[NETWORK_TEXT + 1])
{
	char host[INET6_ADDRSTRLEN];
	const char *p = inet_ntop(n->address.len == V6 ? AF_INET6 : AF_INET, n->address.bytes, host,
				  sizeof host);

	assert(p && strlen(p) <= NETWORK_TEXT - 4); /* dotted tails stand behind few groups */
	(void)snprintf(ret_text, NETWORK_TEXT + 1, "%s/%u", p, n->bits);
}

/* What was typed stands in the error, as far as it is harmless: the operator sees it again. */
static int no_network(struct view text, const char *why, const struct network *instead)
{
	char write[NETWORK_TEXT + 1] = "";
	CLEANUP(mem_free) char *typed = mem_text_n(text.data, text.len < 64 ? text.len : 64);

	for (char *c = typed; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	if (!instead)
		return fail(E_INVALID, "'%s' %s: write it like 192.0.2.0/24 or 2001:db8::/32",
			    typed, why);
	write_network(instead, write);
	return fail(E_INVALID, "'%s' %s %s", typed, why, write);
}

static int read_network(struct view text, struct network *ret_network)
{
	struct network n;
	const uint8_t *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
	size_t len = slash ? (size_t)(slash - text.data) : text.len;

	if (!read_ip(view_of(text.data, len), &n.address))
		return no_network(text, "is no network in numbers", NULL);
	n.bits = 8 * n.address.len;
	if (!slash) {
		if (is_mapped(&n.address))
			undress(&n.address), n.bits = 8 * V4;
		return no_network(text, "says no length: this address alone is", &n);
	}
	if (!read_bits(view_of(slash + 1, text.len - len - 1), n.bits, &n.bits))
		return no_network(text,
				  n.address.len == V4 ? "has no length of 0 to 32 bits"
						      : "has no length of 0 to 128 bits",
				  NULL);
	struct network net = without_host(&n);
	if (is_mapped(&n.address) && n.bits >= MAPPED_BITS) {
		undress(&net.address);
		net.bits -= MAPPED_BITS;
		return no_network(text, "is a network of IPv4: write", &net);
	}
	if (memcmp(net.address.bytes, n.address.bytes, n.address.len) != 0)
		return no_network(text, "is an address within a network: write", &net);
	*ret_network = n;
	return 0;
}

static bool is_in(const struct network *n, const struct ip *a)
{
	uint8_t differs = 0;

	if (n->address.len != a->len)
		return false;
	for (unsigned i = 0; i < a->len; i++)
		differs |= (uint8_t)((n->address.bytes[i] ^ a->bytes[i]) & mask_of(n->bits, i));
	return !differs;
}

/* The next item of a list and what is behind its blank. */
static struct view next_item(struct view *rest)
{
	const uint8_t *blank = memchr(rest->data, ' ', rest->len);
	size_t len = blank ? (size_t)(blank - rest->data) : rest->len;
	struct view item = view_of(rest->data, len);

	*rest = blank ? view_of(blank + 1, rest->len - len - 1) : view_of(NULL, 0);
	return item;
}

int network_add(struct view text, struct buf *list)
{
	struct network n;
	char canonical[NETWORK_TEXT + 1];
	unsigned count = 0;
	struct view rest = view_buf(list);
	int rc = read_network(text, &n);

	if (rc)
		return rc;
	write_network(&n, canonical);
	for (; rest.len; count++)
		if (view_is(next_item(&rest), canonical))
			return 0;
	if (count == NETWORKS_MAX)
		return fail(E_LIMIT, "more than %d networks", NETWORKS_MAX);
	return buf_printf(list, "%s%s", count ? " " : "", canonical);
}

/* As network_add() has written it, and in no other way. */
static bool read_canonical(struct view item, struct network *ret_network)
{
	char canonical[NETWORK_TEXT + 1];

	if (read_network(item, ret_network)) {
		err_clear();
		return false;
	}
	write_network(ret_network, canonical);
	return view_is(item, canonical);
}

int networks_allow(const char *list, const char *address, bool *ret_allowed)
{
	struct view rest = view_text(list);
	struct ip a = {0};
	struct network n;
	bool known = read_ip(view_text(address), &a), allowed = !rest.len;

	if (known && is_mapped(&a))
		undress(&a);
	if (rest.len && list[rest.len - 1] == ' ')
		return fail(E_INTEGRITY, "a list of networks that is none");
	for (unsigned count = 0; rest.len; count++) {
		struct view item = next_item(&rest);
		if (count == NETWORKS_MAX || !read_canonical(item, &n))
			return fail(E_INTEGRITY, "a list of networks that is none");
		allowed |= known && is_in(&n, &a);
	}
	*ret_allowed = allowed;
	return 0;
}
