/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fakekeep: a keep with everything in memory, for trying dropkeep-gate alone.
 *
 *	fakekeep GATE HOST-KEY [-v] [-d MILLISECONDS] [-t MILLISECONDS] [-s PEM]
 *
 * It listens on a free port of 127.0.0.1 and prints the number, then lets in every key, certificate
 * and token (but no user and no token called "nobody") with all rights. -s: HTTPS as well, on the
 * second number printed, with certificate and private key out of one file. -d delays each answer,
 *-t is the time to log in and the time to be idle. SIGTERM drains the gate; the exit status is the
 *gate's. Blobs are memory files under random keys; nothing is checked, recorded or kept: what the
 *real keep decides is not decided here.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/sys.h"
#include "wire/link.h"

enum { NODES = 4096, PAGE = 8192, PAYLOAD_KEY = 32, DRAIN_MS = 2000, LISTEN_BACKLOG = 64 };

struct version { /* of a file: what is published, or what is being uploaded */
	int fd;
	uint8_t key[PAYLOAD_KEY];
	uint64_t size;
};

static struct node {
	char *path; /* NULL: free */
	bool is_dir;
	int64_t mtime_s;
	bool published, partial;
	struct version done, part;
	uint64_t part_sealed;
	bool part_clean;
	struct buf digest, tail;
} nodes[NODES];

static struct {
	int link;
	bool verbose, quit;
	unsigned delay_ms, patience_ms;
	struct buf host_key, pem;
	int listener[2];
	unsigned listeners;
	uint64_t next_session;
	uint8_t out[LINK_MAX];
} keep = {.patience_ms = 60000};

static struct node *find(struct view path)
{
	for (unsigned i = 0; i < NODES; i++)
		if (nodes[i].path && view_is(path, nodes[i].path))
			return &nodes[i];
	return NULL;
}

static struct node *add(struct view path, bool is_dir)
{
	for (unsigned i = 0; i < NODES; i++) {
		struct node *n = &nodes[i];
		if (n->path)
			continue;
		*n = (struct node){.is_dir = is_dir, .mtime_s = time(NULL)};
		n->path = mem_text_n(path.data, path.len);
		return n;
	}
	return NULL;
}

static bool has_parent(struct view path)
{
	while (path.len && path.data[path.len - 1] != '/')
		path.len--;
	if (path.len <= 1)
		return true;
	const struct node *n = find(view_of(path.data, path.len - 1));
	return n && n->is_dir;
}

static void drop_part(struct node *n)
{
	if (n->partial)
		(void)close(n->part.fd);
	n->partial = false;
	buf_done(&n->digest);
	buf_done(&n->tail);
}

static void drop(struct node *n)
{
	drop_part(n);
	if (n->published)
		(void)close(n->done.fd);
	free(n->path);
	*n = (struct node){0};
}

static void send_packet(const struct writer *w, const int *fds, unsigned count)
{
	struct pollfd p = {.fd = keep.link, .events = POLLOUT};

	assert(!w->full);
	while (link_send(keep.link, view_of(w->data, w->len), fds, count) == E_AGAIN)
		(void)poll(&p, 1, -1);
	err_clear();
}

static struct writer begin(const struct frame *ask, int status)
{
	struct writer w = writer_of(keep.out, sizeof keep.out);
	const struct frame f = {FRAME_ANSWER, ask->verb, ask->id, ask->subject, status, {0}};

	frame_write(&w, &f);
	return w;
}

static void refuse(const struct frame *ask, int status)
{
	struct writer w = begin(ask, status);

	write_bytes(&w, view_text(err_word(status)));
	send_packet(&w, NULL, 0);
}

static void done(const struct frame *ask)
{
	struct writer w = begin(ask, 0);

	send_packet(&w, NULL, 0);
}

static struct attrs attrs_of_node(const struct node *n)
{
	return (struct attrs){
	    .kind = n->is_dir    ? NODE_DIR
		    : n->partial ? NODE_PARTIAL
				 : NODE_FILE,
	    .rights = RIGHT_LIST | RIGHT_READ | RIGHT_WRITE | RIGHT_OVERWRITE | RIGHT_DELETE |
		      RIGHT_MANAGE,
	    .size = n->partial ? n->part.size : n->done.size,
	    .mtime_s = n->mtime_s,
	    .owner = 7,
	    .owner_name = view_text("acme"),
	};
}

static void answer_hello(const struct frame *ask)
{
	CLEANUP(buf_done) struct buf keys = {0};
	uint8_t len[4];
	struct writer lw = writer_of(len, sizeof len);
	struct writer w = begin(ask, 0);

	write_u32(&lw, (uint32_t)keep.host_key.len);
	assert(!buf_add(&keys, len, sizeof len) &&
	       !buf_add(&keys, keep.host_key.data, keep.host_key.len));
	static const uint8_t ticket_key[TICKET_KEY] = {1};
	const bool https = keep.pem.len;
	const struct gate_settings s = {
	    .listeners = 1,
	    .https_listeners = https,
	    .https_idle_ms = keep.patience_ms,
	    .certificate = view_buf(&keep.pem),
	    .private_key = view_buf(&keep.pem),
	    .ticket_key = view_of(ticket_key, https ? sizeof ticket_key : 0),
	    .login_grace_ms = keep.patience_ms,
	    .auth_tries = 6,
	    .idle_ms = keep.patience_ms,
	    .handles_per_session = 64,
	    .sessions = 2000,
	    .log_level = keep.verbose ? 3 : 2,
	    .banner = view_text("dropkeep test\n"),
	    .host_keys = view_buf(&keys),
	};
	gate_settings_write(&w, &s);
	send_packet(&w, keep.listener, keep.listeners);
}

static void answer_session_open(const struct frame *ask)
{
	const struct answer_session_open m = {++keep.next_session};
	struct writer w = begin(ask, 0);

	answer_session_open_write(&w, &m);
	send_packet(&w, NULL, 0);
}

static void answer_auth(const struct frame *ask)
{
	struct ask_auth m;
	struct answer_auth a = {0};

	assert(!ask_auth_read(ask->body, &m));
	if (view_is(m.user, "nobody") || view_is(m.key, "nobody")) {
		refuse(ask, E_DENIED);
		return;
	}
	if (m.step != AUTH_QUERY)
		a = (struct answer_auth){.home = view_text("/zone"), .name = m.user};
	struct writer w = begin(ask, 0);
	answer_auth_write(&w, &a);
	send_packet(&w, NULL, 0);
}

static void answer_account(const struct frame *ask)
{
	const struct answer_account m = {view_text("{\"user\":\"somebody\"}\n")};
	struct writer w = begin(ask, 0);

	answer_account_write(&w, &m);
	send_packet(&w, NULL, 0);
}

static void answer_stat(const struct frame *ask)
{
	struct ask_stat m;

	assert(!ask_stat_read(ask->body, &m));
	const struct node *n = find(m.path);
	if (!n) {
		refuse(ask, E_GONE);
		return;
	}
	struct attrs a = attrs_of_node(n);
	struct writer w = begin(ask, 0);
	attrs_write(&w, &a);
	send_packet(&w, NULL, 0);
}

/* The name of a node directly in dir, or an empty view. */
static struct view name_in(const struct node *n, struct view dir)
{
	struct view path = view_text(n->path);
	size_t skip = dir.len > 1 ? dir.len + 1 : 1;

	if (path.len <= skip || memcmp(path.data, dir.data, dir.len) != 0 ||
	    path.data[skip - 1] != '/' || memchr(path.data + skip, '/', path.len - skip))
		return view_of(NULL, 0);
	return view_of(path.data + skip, path.len - skip);
}

static void answer_list(const struct frame *ask)
{
	uint8_t page[PAGE];
	struct writer entries = writer_of(page, sizeof page);
	struct ask_list m;
	uint64_t at;

	assert(!ask_list_read(ask->body, &m));
	const struct node *dir = find(m.path);
	if (!dir || !dir->is_dir) {
		refuse(ask, dir ? E_NOT_DIR : E_GONE);
		return;
	}
	for (at = m.cursor; at < NODES; at++) {
		if (!nodes[at].path)
			continue;
		struct view name = name_in(&nodes[at], m.path);
		struct attrs a = attrs_of_node(&nodes[at]);
		if (!name.len)
			continue;
		if (entries.cap - entries.len < name.len + 64)
			break;
		const struct entry e = {name,      a.kind,  a.rights,     a.size,
					a.mtime_s, a.owner, a.owner_name, {0}};
		entry_write(&entries, &e);
	}
	const struct answer_list l = {at == NODES, at, view_of(page, entries.len)};
	struct writer w = begin(ask, 0);
	answer_list_write(&w, &l);
	send_packet(&w, NULL, 0);
}

static void answer_make_dir(const struct frame *ask)
{
	struct ask_make_dir m;

	assert(!ask_make_dir_read(ask->body, &m));
	if (find(m.path))
		refuse(ask, E_EXISTS);
	else if (!has_parent(m.path))
		refuse(ask, E_GONE);
	else if (!add(m.path, true))
		refuse(ask, E_FULL);
	else
		done(ask);
}

static void answer_remove_dir(const struct frame *ask)
{
	struct ask_remove_dir m;

	assert(!ask_remove_dir_read(ask->body, &m));
	struct node *n = find(m.path);
	if (!n || !n->is_dir) {
		refuse(ask, n ? E_NOT_DIR : E_GONE);
		return;
	}
	for (unsigned i = 0; i < NODES; i++) {
		if (nodes[i].path && name_in(&nodes[i], m.path).len) {
			refuse(ask, E_NOT_EMPTY);
			return;
		}
	}
	drop(n);
	done(ask);
}

static void answer_remove(const struct frame *ask)
{
	struct ask_remove m;

	assert(!ask_remove_read(ask->body, &m));
	struct node *n = find(m.path);
	if (!n || n->is_dir) {
		refuse(ask, n ? E_IS_DIR : E_GONE);
		return;
	}
	drop(n);
	done(ask);
}

static void answer_rename(const struct frame *ask)
{
	struct ask_rename m;

	assert(!ask_rename_read(ask->body, &m));
	struct node *n = find(m.from), *old = find(m.to);
	if (!n || !has_parent(m.to) || (old && (!m.replace || old->is_dir))) {
		refuse(ask, old ? E_EXISTS : E_GONE);
		return;
	}
	if (old && old != n)
		drop(old);
	for (unsigned i = 0; i < NODES; i++) {
		char *path = nodes[i].path;
		if (!path || strncmp(path, (const char *)m.from.data, m.from.len) != 0 ||
		    (path[m.from.len] && path[m.from.len] != '/'))
			continue;
		nodes[i].path =
		    mem_printf("%.*s%s", (int)m.to.len, (const char *)m.to.data, path + m.from.len);
		free(path);
	}
	done(ask);
}

static void answer_set_attrs(const struct frame *ask)
{
	struct ask_set_attrs m;

	assert(!ask_set_attrs_read(ask->body, &m));
	struct node *n = find(m.path);
	if (!n) {
		refuse(ask, E_GONE);
		return;
	}
	if (m.size != SIZE_UNKNOWN && m.size != n->done.size) {
		refuse(ask, E_UNSUPPORTED);
		return;
	}
	if (m.mtime_s != TIME_UNKNOWN)
		n->mtime_s = m.mtime_s;
	const struct answer_put_finish answer = {.record = 4711};
	struct writer w = begin(ask, 0);
	answer_put_finish_write(&w, &answer);
	send_packet(&w, NULL, 0);
}

static void answer_space(const struct frame *ask)
{
	const struct answer_space m = {(uint64_t)100 << 30, (uint64_t)60 << 30, 3};
	struct writer w = begin(ask, 0);

	answer_space_write(&w, &m);
	send_packet(&w, NULL, 0);
}

static void new_part(struct node *n)
{
	n->part = (struct version){.fd = memfd_create("blob", MFD_CLOEXEC)};
	assert(n->part.fd >= 0 && !random_bytes(n->part.key, sizeof n->part.key));
	n->partial = true;
	n->part_clean = true;
	n->part_sealed = 0;
	buf_clear(&n->digest);
	buf_clear(&n->tail);
}

/* put: the node's place and one more. */
static void send_lease(const struct frame *ask, struct node *n, const struct version *source,
		       uint64_t prefix, bool source_finished)
{
	struct lease l = {
	    .declared = SIZE_UNKNOWN,
	    .put = (uint64_t)(n - nodes) + 1,
	    .size = source ? prefix : n->part.size,
	    .granted = (uint64_t)1 << 50,
	    .sealed = n->part_sealed,
	    .digest = view_buf(&n->digest),
	    .tail = view_buf(&n->tail),
	    .prefix = prefix,
	    .source_finished = source_finished,
	    .source_size = source ? source->size : 0,
	};
	int fds[2] = {n->part.fd, source ? source->fd : -1};
	struct writer w = begin(ask, 0);

	memcpy(l.payload_key, n->part.key, sizeof l.payload_key);
	if (source)
		memcpy(l.source_key, source->key, sizeof l.source_key);
	n->part.size = l.size;
	lease_write(&w, &l);
	send_packet(&w, fds, source ? 2 : 1);
}

static void answer_put_open(const struct frame *ask)
{
	struct ask_put_open m;

	assert(!ask_put_open_read(ask->body, &m));
	struct node *n = find(m.path);
	if ((n && n->is_dir) || (n && (m.flags & PUT_EXCLUSIVE)) ||
	    (!n && !(m.flags & PUT_CREATE)) || !has_parent(m.path)) {
		refuse(ask, n && n->is_dir ? E_IS_DIR : n ? E_EXISTS : E_GONE);
		return;
	}
	if (!n)
		n = add(m.path, false);
	assert(n);
	n->mtime_s = time(NULL);
	if (m.flags & PUT_TRUNCATE)
		drop_part(n);
	if (n->partial && n->part_clean) {
		send_lease(ask, n, NULL, 0, false);
	} else if (n->partial) {
		struct version old = n->part;
		new_part(n);
		send_lease(ask, n, &old, old.size, false);
		(void)close(old.fd);
	} else {
		bool append = n->published && !(m.flags & PUT_TRUNCATE) && n->done.size;
		new_part(n);
		send_lease(ask, n, append ? &n->done : NULL, append ? n->done.size : 0, true);
	}
}

static void answer_put_extend(const struct frame *ask)
{
	const struct answer_put_extend m = {(uint64_t)1 << 50};
	struct writer w = begin(ask, 0);

	answer_put_extend_write(&w, &m);
	send_packet(&w, NULL, 0);
}

static struct node *put_node(const struct frame *ask)
{
	struct node *n = &nodes[ask->subject - 1];

	assert(ask->subject && ask->subject <= NODES);
	return n->path && n->partial ? n : NULL;
}

static void answer_put_rekey(const struct frame *ask)
{
	struct ask_put_rekey m;
	struct node *n = put_node(ask);

	assert(!ask_put_rekey_read(ask->body, &m));
	if (!n) {
		refuse(ask, E_GONE);
		return;
	}
	struct version old = n->part;
	old.size = m.durable;
	new_part(n);
	send_lease(ask, n, m.durable ? &old : NULL, m.durable, false);
	(void)close(old.fd);
}

static void answer_put_suspend(const struct frame *ask)
{
	struct ask_put_suspend m;
	struct node *n = put_node(ask);

	assert(!ask_put_suspend_read(ask->body, &m));
	if (n) {
		n->part_clean = m.clean;
		n->part_sealed = m.sealed;
		n->part.size = m.clean ? m.sealed * 65536 + m.tail.len : m.durable;
		buf_clear(&n->digest);
		buf_clear(&n->tail);
		assert(!buf_add(&n->digest, m.digest.data, m.digest.len) &&
		       !buf_add(&n->tail, m.tail.data, m.tail.len));
	}
	done(ask);
}

static void answer_put_finish(const struct frame *ask)
{
	struct ask_put_finish m;
	struct node *n = put_node(ask);

	assert(!ask_put_finish_read(ask->body, &m));
	if (!n) {
		refuse(ask, E_GONE);
		return;
	}
	if (n->published)
		(void)close(n->done.fd);
	n->done = n->part;
	n->done.size = m.size;
	n->published = true;
	n->partial = false;
	if (m.mtime_s != TIME_UNKNOWN)
		n->mtime_s = m.mtime_s;
	done(ask);
}

static void answer_put_drop(const struct frame *ask)
{
	struct node *n = put_node(ask);

	if (n && n->published)
		drop_part(n);
	else if (n)
		drop(n);
	done(ask);
}

static void answer_get_open(const struct frame *ask)
{
	struct ask_get_open m;
	char link[64];

	assert(!ask_get_open_read(ask->body, &m));
	struct node *n = find(m.path);
	if (!n || n->is_dir || n->partial) {
		refuse(ask, !n ? E_GONE : n->is_dir ? E_IS_DIR : E_UNFINISHED);
		return;
	}
	struct attrs a = attrs_of_node(n);
	struct answer_get_open g = {.get = (uint64_t)(n - nodes) + 1,
				    .kind = a.kind,
				    .rights = a.rights,
				    .size = a.size,
				    .mtime_s = a.mtime_s,
				    .owner = a.owner,
				    .owner_name = a.owner_name};
	memcpy(g.payload_key, n->done.key, sizeof g.payload_key);
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", n->done.fd);
	int fd = -1;
	assert(!sys_open(AT_FDCWD, link, O_RDONLY, 0, &fd));
	struct writer w = begin(ask, 0);
	answer_get_open_write(&w, &g);
	send_packet(&w, &fd, 1);
	sys_close(&fd);
}

static void show(const struct frame *ask)
{
	struct ask_session_note note;
	struct ask_session_close end;
	const char *name = verb_find(ask->verb) ? verb_find(ask->verb)->name : "?";
	struct view text = {0};

	if (ask->verb == VERB_SESSION_NOTE && !ask_session_note_read(ask->body, &note))
		text = note.text;
	if (ask->verb == VERB_SESSION_CLOSE && !ask_session_close_read(ask->body, &end))
		text = end.reason;
	(void)fprintf(stderr, "%s %llu %.*s\n", name, (unsigned long long)ask->subject,
		      (int)text.len, text.len ? (const char *)text.data : "");
}

/* What is not in it is a note, or an end: heard. */
static const struct {
	enum verb verb;
	void (*run)(const struct frame *ask);
} answers[] = {
    {VERB_HELLO, answer_hello},
    {VERB_SESSION_OPEN, answer_session_open},
    {VERB_AUTH, answer_auth},
    {VERB_ACCOUNT, answer_account},
    {VERB_STAT, answer_stat},
    {VERB_LIST, answer_list},
    {VERB_MAKE_DIR, answer_make_dir},
    {VERB_REMOVE_DIR, answer_remove_dir},
    {VERB_REMOVE, answer_remove},
    {VERB_RENAME, answer_rename},
    {VERB_SET_ATTRS, answer_set_attrs},
    {VERB_SPACE, answer_space},
    {VERB_PUT_OPEN, answer_put_open},
    {VERB_PUT_EXTEND, answer_put_extend},
    {VERB_PUT_REKEY, answer_put_rekey},
    {VERB_PUT_SUSPEND, answer_put_suspend},
    {VERB_PUT_FINISH, answer_put_finish},
    {VERB_PUT_DROP, answer_put_drop},
    {VERB_GET_OPEN, answer_get_open},
};

static void answer(const struct frame *ask)
{
	if (keep.verbose)
		show(ask);
	if (keep.delay_ms)
		(void)poll(NULL, 0, (int)keep.delay_ms);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		if (answers[i].verb == ask->verb) {
			answers[i].run(ask);
			return;
		}
	}
	done(ask);
}

static void on_term(int signal_number)
{
	(void)signal_number;
	keep.quit = true;
}

static void send_drain(void)
{
	const struct order_drain m = {DRAIN_MS};
	const struct frame f = {FRAME_ORDER, ORDER_DRAIN, 0, 0, 0, {0}};
	struct writer w = writer_of(keep.out, sizeof keep.out);

	frame_write(&w, &f);
	order_drain_write(&w, &m);
	send_packet(&w, NULL, 0);
}

static void serve(void)
{
	static uint8_t memory[LINK_MAX];
	bool told = false;

	for (;;) {
		struct pollfd p = {.fd = keep.link, .events = POLLIN};
		struct view packet;
		struct frame ask;
		unsigned count = 0;
		int unused;

		if (keep.quit && !told) {
			told = true;
			send_drain();
		}
		(void)poll(&p, 1, 100);
		int rc =
		    link_receive(keep.link, memory, sizeof memory, &packet, &unused, 0, &count);
		err_clear();
		if (rc == E_AGAIN)
			continue;
		if (rc)
			return;
		assert(!frame_read(packet, &ask) && ask.kind == FRAME_ASK);
		answer(&ask);
	}
}

static int start_gate(const char *gate, int theirs, pid_t *ret_pid)
{
	char parent[32], uid[32], gid[32];
	char *const argv[] = {(char *)(uintptr_t) "dropkeep-gate",
			      (char *)(uintptr_t) "--uid",
			      uid,
			      (char *)(uintptr_t) "--gid",
			      gid,
			      (char *)(uintptr_t) "--parent",
			      parent,
			      NULL};
	char *const environment[] = {NULL};
	bool root = geteuid() == 0;

	(void)snprintf(parent, sizeof parent, "%d", (int)getpid());
	(void)snprintf(uid, sizeof uid, "%u", root ? 65534u : (unsigned)geteuid());
	(void)snprintf(gid, sizeof gid, "%u", root ? 65534u : (unsigned)getegid());
	pid_t pid = fork();
	if (pid < 0)
		return fail_errno(E_IO, "fork");
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		(void)dup2(null, 0);
		(void)dup2(null, 1);
		(void)dup2(theirs, 3);
		(void)dup2(null, 4);
		(void)execve(gate, argv, environment);
		_exit(127);
	}
	*ret_pid = pid;
	return 0;
}

static int listen_somewhere(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;

	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, LISTEN_BACKLOG) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		return fail_errno(E_IO, "listen");
	keep.listener[keep.listeners++] = fd;
	(void)printf("%u\n", ntohs(a.sin_port));
	(void)fflush(stdout);
	return 0;
}

static int run(const char *gate, const char *host_key, const char *pem)
{
	static const char *const dirs[] = {"/", "/zone", "/zone/incoming", "/zone/deliverables"};
	int fds[2], rc, status = 0;
	pid_t pid = -1;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		(void)add(view_text(dirs[i]), true);
	rc = sys_read_file(AT_FDCWD, host_key, 16384, &keep.host_key);
	if (!rc && pem)
		rc = sys_read_file(AT_FDCWD, pem, 16384, &keep.pem);
	if (!rc)
		rc = link_pair(fds);
	if (!rc)
		rc = listen_somewhere();
	if (!rc && pem)
		rc = listen_somewhere();
	if (!rc)
		rc = start_gate(gate, fds[1], &pid);
	if (rc)
		return rc;
	(void)close(fds[1]);
	keep.link = fds[0];
	serve();
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return fail(E_IO, "the gate died, status %d", status);
	if (WEXITSTATUS(status))
		return fail(E_IO, "the gate ended with %d", WEXITSTATUS(status));
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction term = {.sa_handler = on_term};
	const char *pem = NULL;
	int option;

	while ((option = getopt(argc, argv, "vd:t:s:")) != -1) {
		if (option == 'v')
			keep.verbose = true;
		else if (option == 'd')
			keep.delay_ms = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 't')
			keep.patience_ms = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 's')
			pem = optarg;
		else
			return 64;
	}
	if (argc - optind != 2)
		return 64;
	(void)sigaction(SIGTERM, &term, NULL);
	(void)sigaction(SIGINT, &term, NULL);
	if (run(argv[optind], argv[optind + 1], pem)) {
		(void)fprintf(stderr, "fakekeep: %s\n", err_text());
		return 1;
	}
	return 0;
}
