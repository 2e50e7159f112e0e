/* SPDX-License-Identifier: Apache-2.0 */
/* From where a credential may be used: what is a network, what is canonical, who is in it. */
#include "daemon/keep/networks.h"

#include <arpa/inet.h>

#include "base_kit.h"

/* An exact-size buffer on the heap, so that a sanitizer sees every overread. */
static int add_exact(struct view text, struct buf *list)
{
	CLEANUP(mem_free) char *copy = mem_new(text.len + (text.len == 0));

	if (text.len)
		memcpy(copy, text.data, text.len);
	return network_add(view_of(copy, text.len), list);
}

static void expect_list(const char *typed, const char *canonical)
{
	CLEANUP(buf_done) struct buf list = {0};

	assert_int_equal(add_exact(view_text(typed), &list), 0);
	assert_true(view_is(view_buf(&list), canonical));
}

static void add_refused(const char *typed, const char *sentence)
{
	CLEANUP(buf_done) struct buf list = {0};

	assert_int_equal(add_exact(view_text(typed), &list), E_INVALID);
	if (!strstr(err_text(), sentence))
		print_message("# %s: %s\n", typed, err_text());
	assert_non_null(strstr(err_text(), sentence));
	assert_int_equal(list.len, 0);
	err_clear();
}

static void add_network_is_written_canonically(void **state)
{
	static const char *const rows[][2] = {
	    {"192.0.2.0/24", "192.0.2.0/24"},
	    {"192.0.2.7/32", "192.0.2.7/32"},
	    {"0.0.0.0/0", "0.0.0.0/0"},
	    {"10.0.0.0/8", "10.0.0.0/8"},
	    {"192.0.2.128/25", "192.0.2.128/25"},
	    {"255.255.255.254/31", "255.255.255.254/31"},
	    {"::/0", "::/0"},
	    {"2001:DB8::/32", "2001:db8::/32"},
	    {"2001:0db8:0000:0000:0000:0000:0000:0001/128", "2001:db8::1/128"},
	    {"fe80:0:0:0::/10", "fe80::/10"},
	    {"2001:db8:0:8000::/49", "2001:db8:0:8000::/49"},
	    {"::1/128", "::1/128"},
	    {"1111:2222:3333:4444:5555:6666:7777:8888/128",
	     "1111:2222:3333:4444:5555:6666:7777:8888/128"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool allowed = true;
		expect_list(rows[i][0], rows[i][1]);
		expect_list(rows[i][1], rows[i][1]);
		assert_int_equal(networks_allow(rows[i][1], "", &allowed), 0);
		assert_false(allowed);
	}
}

static void add_host_bits_says_which_network_is_meant(void **state)
{
	(void)state;
	add_refused("192.0.2.7/24", "write 192.0.2.0/24");
	add_refused("10.1.2.3/0", "write 0.0.0.0/0");
	add_refused("10.1.2.3/31", "write 10.1.2.2/31");
	add_refused("192.0.2.255/25", "write 192.0.2.128/25");
	add_refused("2001:db8::1/32", "write 2001:db8::/32");
	add_refused("2001:db8:0:ffff::/49", "write 2001:db8:0:8000::/49");
	add_refused("::1/127", "write ::/127");
}

static void add_address_without_length_says_what_it_would_be(void **state)
{
	(void)state;
	add_refused("10.0.0.0", "this address alone is 10.0.0.0/32");
	add_refused("2001:DB8::1", "this address alone is 2001:db8::1/128");
	add_refused("::ffff:192.0.2.1", "this address alone is 192.0.2.1/32");
}

static void add_ipv4_in_ipv6_says_how_it_is_written(void **state)
{
	(void)state;
	add_refused("::ffff:192.0.2.0/120", "write 192.0.2.0/24");
	add_refused("::ffff:192.0.2.7/120", "write 192.0.2.0/24");
	add_refused("::ffff:c000:201/128", "write 192.0.2.1/32");
	add_refused("::ffff:0:0/96", "write 0.0.0.0/0");
	add_refused("::ffff:0:0/95", "::fffe:0:0/95");
}

static void add_what_is_no_network_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "/",
	    "/24",
	    "x",
	    "localhost",
	    "localhost/8",
	    "192.0.2/24",
	    "192.0.2.0.0/24",
	    "192.0.2.0/",
	    "192.0.2.0/33",
	    "192.0.2.0/024",
	    "192.0.2.0/-1",
	    "192.0.2.0/+24",
	    "192.0.2.0/ 24",
	    "192.0.2.0/24 ",
	    " 192.0.2.0/24",
	    "192.0.2.0 /24",
	    "192.0.2.0/24/24",
	    "192.0.2.0/0x18",
	    "192.0.2.0/255.255.255.0",
	    "192.0.02.0/24",
	    "0300.0.2.0/24",
	    "256.0.0.0/8",
	    "3221225984/24",
	    "192.0.2.0/4294967320",
	    "192.0.2.0/999",
	    "*",
	    "2001:db8::/129",
	    "2001:db8::/032",
	    "2001:db8::",
	    "2001:db8:::/32",
	    "[2001:db8::]/32",
	    "fe80::1%lo/128",
	    "fe80::%1/10",
	    "::/00",
	    ":/0",
	    "12345::/16",
	    "g::/16",
	    "192.0.2.0/24,10.0.0.0/8",
	    "192.0.2.0/24\n",
	    "\xff/8",
	    "1111:2222:3333:4444:5555:6666:7777:8888:9999/128",
	    "0000000000000000000000000000000000000000000000000000000000001::/16",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		add_refused(bad[i], "");
	CLEANUP(buf_done) struct buf list = {0};
	static const char nul[] = "192.0.2.0/24\0";
	assert_int_equal(add_exact(view_of(nul, sizeof nul - 1), &list), E_INVALID);
	static const char nul_within[] = "192.0.2.0\0/24";
	assert_int_equal(add_exact(view_of(nul_within, sizeof nul_within - 1), &list), E_INVALID);
	err_clear();
}

/* What a terminal would obey is not said again. */
static void add_refusal_repeats_nothing_harmful(void **state)
{
	CLEANUP(buf_done) struct buf list = {0};
	char many[300];

	(void)state;
	assert_int_equal(network_add(view_text("\033]0;x\a/8"), &list), E_INVALID);
	assert_null(strchr(err_text(), '\033'));
	assert_null(strchr(err_text(), '\a'));
	err_clear();
	memset(many, '1', sizeof many);
	assert_int_equal(network_add(view_of(many, sizeof many), &list), E_INVALID);
	assert_true(strlen(err_text()) < 200);
	err_clear();
}

static void add_again_adds_nothing_and_lists_have_an_end(void **state)
{
	CLEANUP(buf_done) struct buf list = {0};
	char text[64], stored[NETWORKS_TEXT];

	(void)state;
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < NETWORKS_MAX; i++) {
			(void)snprintf(text, sizeof text,
				       "1111:2222:3333:4444:5555:6666:7777:8%03u/128", i);
			assert_int_equal(network_add(view_text(text), &list), 0);
		}
	assert_int_equal(list.len, NETWORKS_TEXT - 1);
	assert_int_equal(network_add(view_text("10.0.0.0/8"), &list), E_LIMIT);
	err_clear();
	assert_int_equal(list.len, NETWORKS_TEXT - 1);
	memcpy(stored, list.data, list.len);
	stored[list.len] = '\0';
	bool allowed = false;
	assert_int_equal(
	    networks_allow(stored, "1111:2222:3333:4444:5555:6666:7777:8015", &allowed), 0);
	assert_true(allowed);
	assert_int_equal(
	    networks_allow(stored, "1111:2222:3333:4444:5555:6666:7777:8016", &allowed), 0);
	assert_false(allowed);
}

static const struct {
	const char *list, *address;
	bool allowed;
} judged[] = {
    {"", "192.0.2.1", true},
    {"", "2001:db8::1", true},
    {"", "?", true},
    {"192.0.2.0/24", "192.0.2.0", true},
    {"192.0.2.0/24", "192.0.2.255", true},
    {"192.0.2.0/24", "192.0.3.0", false},
    {"192.0.2.0/24", "192.0.1.255", false},
    {"192.0.2.128/25", "192.0.2.127", false},
    {"192.0.2.128/25", "192.0.2.128", true},
    {"192.0.2.2/31", "192.0.2.3", true},
    {"192.0.2.2/31", "192.0.2.4", false},
    {"192.0.2.1/32", "192.0.2.1", true},
    {"192.0.2.1/32", "192.0.2.0", false},
    {"192.0.2.1/32", "64.0.2.1", false},
    {"0.0.0.0/0", "255.255.255.255", true},
    {"128.0.0.0/1", "127.255.255.255", false},
    {"128.0.0.0/1", "128.0.0.0", true},
    {"0.0.0.0/0", "2001:db8::1", false},
    {"0.0.0.0/0", "::1", false},
    {"0.0.0.0/0", "::192.0.2.1", false},
    {"::/0", "2001:db8::1", true},
    {"::/0", "192.0.2.1", false},
    {"::/0", "::ffff:192.0.2.1", false},
    {"192.0.2.0/24", "::ffff:192.0.2.9", true},
    {"192.0.2.0/24", "::ffff:c000:209", true},
    {"192.0.2.0/24", "::FFFF:192.0.3.9", false},
    {"2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true},
    {"2001:db8::/32", "2001:db9::", false},
    {"2001:db8::/33", "2001:db8:8000::", false},
    {"2001:db8::1/128", "2001:db8::1", true},
    {"2001:db8::1/128", "2001:db8::2", false},
    {"2001:db8::1/128", "2001:0DB8:0::0:1", true},
    {"10.0.0.0/8 192.0.2.0/24 2001:db8::/32", "192.0.2.1", true},
    {"10.0.0.0/8 192.0.2.0/24 2001:db8::/32", "10.9.8.7", true},
    {"10.0.0.0/8 192.0.2.0/24 2001:db8::/32", "2001:db8::1", true},
    {"10.0.0.0/8 192.0.2.0/24 2001:db8::/32", "11.0.0.0", false},
    /* what is no address is nowhere */
    {"0.0.0.0/0 ::/0", "", false},
    {"0.0.0.0/0 ::/0", "?", false},
    {"0.0.0.0/0 ::/0", "x", false},
    {"0.0.0.0/0 ::/0", "192.0.2.1 ", false},
    {"0.0.0.0/0 ::/0", "192.0.2.01", false},
    {"0.0.0.0/0 ::/0", "192.0.2.1/32", false},
    {"0.0.0.0/0 ::/0", "fe80::1%eth0", false},
    {"0.0.0.0/0 ::/0", "[::1]", false},
    {"0.0.0.0/0 ::/0", "127.1", false},
};

static void allow_is_by_every_bit_of_the_network(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(judged); i++) {
		bool allowed = !judged[i].allowed;
		assert_int_equal(networks_allow(judged[i].list, judged[i].address, &allowed), 0);
		if (allowed != judged[i].allowed)
			print_message("# '%s' in '%s'\n", judged[i].address, judged[i].list);
		assert_true(allowed == judged[i].allowed);
	}
}

/* Also where a part of it would allow: nobody knows what the rest was. */
static void allow_with_a_damaged_list_is_an_error(void **state)
{
	static const char *const bad[] = {
	    " ",
	    " 192.0.2.0/24",
	    "192.0.2.0/24 ",
	    "192.0.2.0/24  10.0.0.0/8",
	    "192.0.2.0",
	    "192.0.2.0/24,10.0.0.0/8",
	    "192.0.2.7/24",
	    "192.0.2.0/24 x",
	    "x 192.0.2.0/24",
	    "192.0.2.0/24\t10.0.0.0/8",
	    "2001:DB8::/32",
	    "2001:db8:0::/32",
	    "::ffff:192.0.2.0/120",
	    "192.0.2.0/24\n",
	    "192.0.2.0/024",
	    "*",
	    "any",
	    "1.0.0.0/8 2.0.0.0/8 3.0.0.0/8 4.0.0.0/8 5.0.0.0/8 6.0.0.0/8 7.0.0.0/8 8.0.0.0/8 "
	    "9.0.0.0/8 10.0.0.0/8 11.0.0.0/8 12.0.0.0/8 13.0.0.0/8 14.0.0.0/8 15.0.0.0/8 "
	    "16.0.0.0/8 192.0.2.0/24",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		bool allowed = false;
		int rc = networks_allow(bad[i], "192.0.2.1", &allowed);
		if (rc != E_INTEGRITY)
			print_message("# '%s': %d\n", bad[i], rc);
		assert_int_equal(rc, E_INTEGRITY);
		assert_false(allowed);
		err_clear();
	}
}

/* Every length of either kind, by another way of counting bits. */
static void allow_agrees_with_counting_bits(void **state)
{
	static const struct {
		const char *address;
		int family;
		unsigned bytes;
	} rows[] = {{"85.170.51.204", AF_INET, 4},
		    {"5555:aaaa:3333:cccc:f0f0:f:1:8000", AF_INET6, 16}};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		for (unsigned bits = 0; bits <= 8 * rows[k].bytes; bits++)
			for (unsigned flip = 0; flip < 8 * rows[k].bytes; flip++) {
				uint8_t net[16], other[16];
				char text[64], host[64], list[96];
				assert_int_equal(inet_pton(rows[k].family, rows[k].address, net),
						 1);
				memcpy(other, net, sizeof other);
				other[flip / 8] ^= (uint8_t)(0x80 >> flip % 8);
				for (unsigned i = bits; i < 8 * rows[k].bytes; i++)
					net[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
				assert_non_null(inet_ntop(rows[k].family, net, text, sizeof text));
				assert_non_null(
				    inet_ntop(rows[k].family, other, host, sizeof host));
				(void)snprintf(list, sizeof list, "%s/%u", text, bits);
				bool allowed = false;
				assert_int_equal(networks_allow(list, host, &allowed), 0);
				assert_true(allowed == (flip >= bits));
				assert_int_equal(networks_allow(list, rows[k].address, &allowed),
						 0);
				assert_true(allowed);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(add_network_is_written_canonically),
	    cmocka_unit_test(add_host_bits_says_which_network_is_meant),
	    cmocka_unit_test(add_address_without_length_says_what_it_would_be),
	    cmocka_unit_test(add_ipv4_in_ipv6_says_how_it_is_written),
	    cmocka_unit_test(add_what_is_no_network_is_refused),
	    cmocka_unit_test(add_refusal_repeats_nothing_harmful),
	    cmocka_unit_test(add_again_adds_nothing_and_lists_have_an_end),
	    cmocka_unit_test(allow_is_by_every_bit_of_the_network),
	    cmocka_unit_test(allow_with_a_damaged_list_is_an_error),
	    cmocka_unit_test(allow_agrees_with_counting_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
