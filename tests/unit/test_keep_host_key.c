/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/host_key.h"

#include <stdio.h>
#include <sys/wait.h>

#include "daemon/keep/ssh_key.h"
#include "keep_kit.h"

static void made(const char *comment, struct buf *private, struct buf *public)
{
	assert_good(host_key_make(comment, private, public));
}

/* What a command says, or NULL where it does not end well. */
static const char *output_of(char *const args[], struct buf *out)
{
	const char *text = "";
	int fds[2], status = 0;

	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(fds[1], 1);
		(void)dup2(fds[1], 2);
		(void)close(fds[0]);
		(void)execvp(args[0], args);
		_exit(127);
	}
	(void)close(fds[1]);
	for (ssize_t n = 1; n > 0;) {
		assert_good(buf_reserve(out, 4096));
		n = read(fds[0], out->data + out->len, 4096);
		out->len += n > 0 ? (size_t)n : 0;
	}
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_good(buf_text(out, &text));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return NULL;
	if (status)
		print_message("# %s\n", text);
	assert_int_equal(status, 0);
	return text;
}

#define ARG(text) ((char *)(uintptr_t)(text))

static void private_key_is_read_by_ssh_keygen(void **state)
{
	const struct kit *kit = *state;

	for (int length = 0; length < 20; length++) { /* all sizes of padding */
		CLEANUP(buf_wipe) struct buf private = {0};
		CLEANUP(buf_done) struct buf public = {0}, said = {0};
		char comment[32] = "", path[128];
		const char *line;
		memset(comment, 'c', (size_t)length);
		made(comment, &private, &public);
		assert_good(sys_replace_file(kit->fd, "key", 0600, view_buf(&private)));
		(void)snprintf(path, sizeof path, "%s/key", kit->dir);
		char *const args[] = {ARG("ssh-keygen"), ARG("-y"), ARG("-P"), ARG(""),
				      ARG("-f"),         path,      NULL};
		const char *text = output_of(args, &said);
		if (!text) {
			print_message("# SKIP there is no ssh-keygen\n");
			skip();
		}
		assert_good(buf_text(&public, &line));
		/* Without a comment ssh-keygen leaves out the blank before it, too. */
		size_t n = public.len - (length ? 0 : 2);
		assert_memory_equal(text, line, n);
	}
}

static void public_line_is_one_that_we_take_ourselves(void **state)
{
	CLEANUP(buf_wipe) struct buf private = {0};
	CLEANUP(buf_done) struct buf public = {0};
	struct credential_row row;

	(void)state;
	made("keep.example", &private, &public);
	assert_good(ssh_key_parse(view_buf(&public), &row));
	assert_string_equal(row.algorithm, "ssh-ed25519");
	assert_string_equal(row.comment, "keep.example");
}

static void keys_differ_each_time(void **state)
{
	CLEANUP(buf_wipe) struct buf one = {0}, other = {0};
	CLEANUP(buf_done) struct buf public = {0}, another = {0};

	(void)state;
	made("x", &one, &public);
	made("x", &other, &another);
	assert_false(view_equal(view_buf(&one), view_buf(&other)));
	assert_false(view_equal(view_buf(&public), view_buf(&another)));
}

/* Its lines have the length that OpenSSH writes, and its frame the exact words. */
static void private_key_has_openssh_s_form(void **state)
{
	CLEANUP(buf_wipe) struct buf private = {0};
	CLEANUP(buf_done) struct buf public = {0};
	const char *text;

	(void)state;
	made("keep.example", &private, &public);
	assert_good(buf_text(&private, &text));
	assert_ptr_equal(strstr(text, "-----BEGIN OPENSSH PRIVATE KEY-----\n"), text);
	assert_string_equal(text + strlen(text) - 34, "-----END OPENSSH PRIVATE KEY-----\n");
	for (const char *at = text; *at; at = strchr(at, '\n') + 1)
		assert_true(strchr(at, '\n') - at <= 70);
}

static void comment_that_is_too_long_is_refused(void **state)
{
	(void)state;
	for (size_t length = 600; length < 1100; length += 7) {
		CLEANUP(buf_wipe) struct buf private = {0};
		CLEANUP(buf_done) struct buf public = {0};
		CLEANUP(mem_free) char *comment = mem_new(length + 1);
		memset(comment, 'c', length);
		int rc = host_key_make(comment, &private, &public);
		if (length < 700)
			assert_good(rc);
		else if (length > 1000)
			assert_int_equal(rc, E_LIMIT);
		if (rc)
			assert_int_equal(public.len, 0);
		err_clear();
	}
}

static void comment_that_is_no_line_is_refused(void **state)
{
	static const char *const bad[] = {"a\nssh-ed25519 AAAA", "a\r", "\x1b[2J", "caf\xe9"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_wipe) struct buf private = {0};
		CLEANUP(buf_done) struct buf public = {0};
		assert_refused(host_key_make(bad[i], &private, &public), E_INVALID);
		assert_int_equal(private.len, 0);
	}
}

/* Every bit but those of the comment, and the bits that base64 has no use for. */
static void bit_that_turns_in_a_private_key_is_noticed(void **state)
{
	CLEANUP(buf_wipe) struct buf private = {0};
	CLEANUP(buf_done) struct buf public = {0};
	unsigned noticed = 0, flips = 0;

	(void)state;
	made("", &private, &public);
	assert_good(host_key_check(view_buf(&private)));
	for (size_t i = 0; i < 8 * private.len; i++) {
		private.data[i / 8] ^= (uint8_t)(1U << i % 8);
		int rc = host_key_check(view_buf(&private));
		flips++;
		noticed += rc != 0;
		err_clear();
		private.data[i / 8] ^= (uint8_t)(1U << i % 8);
	}
	print_message("# %u bits of a host key, %u noticed\n", flips, noticed);
	assert_int_equal(noticed, flips);
	for (size_t len = 0; len < private.len; len++)
		assert_refused(host_key_check(view_of(private.data, len)), E_INTEGRITY);
	assert_good(host_key_check(view_buf(&private)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bit_that_turns_in_a_private_key_is_noticed),
	    cmocka_unit_test_setup_teardown(private_key_is_read_by_ssh_keygen, kit_setup,
					    kit_teardown),
	    cmocka_unit_test(public_line_is_one_that_we_take_ourselves),
	    cmocka_unit_test(keys_differ_each_time),
	    cmocka_unit_test(private_key_has_openssh_s_form),
	    cmocka_unit_test(comment_that_is_too_long_is_refused),
	    cmocka_unit_test(comment_that_is_no_line_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
