/* SPDX-License-Identifier: Apache-2.0 */
#include "base_kit.h"

#include "daemon/gate/ssh_policy.h"

static void check_struck(const char *list, const char *wanted)
{
	CLEANUP(buf_done) struct buf out = {0};
	const char *text = NULL;

	assert_ok(policy_strike_out(view_text(list), &out));
	assert_ok(buf_text(&out, &text));
	assert_string_equal(text, wanted);
}

static void strike_out_leaves_what_is_sound(void **state)
{
	(void)state;
	check_struck("", "");
	check_struck("aes256-gcm@openssh.com,aes128-ctr", "aes256-gcm@openssh.com,aes128-ctr");
	check_struck(" a , b,", "a,b");
	check_struck("rsa-sha2-512,rsa-sha2-256", "rsa-sha2-512,rsa-sha2-256");
}

static void strike_out_removes_what_is_not(void **state)
{
	(void)state;
	check_struck("aes128-cbc,3des-cbc,aes128-ctr", "aes128-ctr");
	check_struck("hmac-sha1,hmac-sha1-etm@openssh.com,hmac-md5", "");
	check_struck("diffie-hellman-group-exchange-sha256,curve25519-sha256", "curve25519-sha256");
	check_struck("diffie-hellman-group14-sha1,diffie-hellman-group14-sha256",
		     "diffie-hellman-group14-sha256");
	check_struck("ssh-rsa,ssh-dss,ssh-ed25519", "ssh-ed25519");
	check_struck("none", "");
}

/* A host key as the keep sends it: made here, for nothing is to be found in the tree. */
static void host_keys(struct buf *out)
{
	ssh_key key = NULL;
	char *text = NULL;
	uint8_t len[4];
	struct writer w = writer_of(len, sizeof len);

	assert_int_equal(ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key), SSH_OK);
	assert_int_equal(ssh_pki_export_privkey_base64(key, NULL, NULL, NULL, &text), SSH_OK);
	write_u32(&w, (uint32_t)strlen(text));
	assert_ok(buf_add(out, len, sizeof len));
	assert_ok(buf_add_text(out, text));
	ssh_string_free_char(text);
	ssh_key_free(key);
}

static int make(const struct gate_settings *s)
{
	struct policy *p = NULL;
	int rc = policy_new(s, &p);

	assert_int_equal(!rc, p != NULL);
	policy_free(&p);
	return rc;
}

static void make_with_defaults_works(void **state)
{
	CLEANUP(buf_done) struct buf keys = {0};

	(void)state;
	host_keys(&keys);
	const struct gate_settings s = {.host_keys = view_buf(&keys)};
	assert_ok(make(&s));
}

static void make_without_a_host_key_is_refused(void **state)
{
	const struct gate_settings s = {0};

	(void)state;
	assert_says(make(&s), E_CONFIG, "no host key");
}

static void make_with_a_broken_host_key_is_refused(void **state)
{
	CLEANUP(buf_done) struct buf keys = {0};

	(void)state;
	host_keys(&keys);
	keys.data[4] = 'x'; /* no "-----BEGIN": deeper damage makes libssh 0.10 leak */
	struct gate_settings s = {.host_keys = view_buf(&keys)};
	assert_fails(make(&s), E_CONFIG);
	s.host_keys.len -= 1;
	assert_fails(make(&s), E_PROTOCOL);
	s.host_keys.len = 3;
	assert_fails(make(&s), E_PROTOCOL);
}

static void make_with_nothing_allowed_is_refused(void **state)
{
	CLEANUP(buf_done) struct buf keys = {0};

	(void)state;
	host_keys(&keys);
	struct gate_settings s = {.host_keys = view_buf(&keys), .ciphers = view_text("aes128-cbc")};
	assert_says(make(&s), E_CONFIG, "cipher");
	s.ciphers = view_text("");
	s.kex = view_text("no-such-exchange");
	assert_says(make(&s), E_CONFIG, "key exchange");
	s.kex = view_text("curve25519-sha256");
	assert_ok(make(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(strike_out_leaves_what_is_sound),
	    cmocka_unit_test(strike_out_removes_what_is_not),
	    cmocka_unit_test(make_with_defaults_works),
	    cmocka_unit_test(make_without_a_host_key_is_refused),
	    cmocka_unit_test(make_with_a_broken_host_key_is_refused),
	    cmocka_unit_test(make_with_nothing_allowed_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
