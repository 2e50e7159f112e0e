/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "daemon/gate/ssh_inside.h"

enum { REFUSED = 1, ANSWERED = 0 };

static int refuse(struct session *s, const char *what)
{
	session_note(s, true, what);
	return REFUSED;
}

/* CVE-2018-10933's lesson: our own word that the keep has said yes, at every channel. */
static int open_channel(struct session *s, ssh_message message)
{
	if (ssh_message_subtype(message) != SSH_CHANNEL_SESSION)
		return refuse(s, "forwarding was asked for");
	if (!s->authenticated || s->reason)
		return refuse(s, "a channel before its time");
	if (s->channel_count >= CHANNELS_MAX)
		return refuse(s, "too many channels");
	ssh_channel ssh = ssh_message_channel_request_open_reply_accept(message);
	if (!ssh)
		return ANSWERED; /* libssh's own error ends the session */
	chan_new(s, ssh);
	return ANSWERED;
}

static int start_sftp(struct session *s, ssh_message message)
{
	struct channel *c = chan_find(s, ssh_message_channel_request_channel(message));
	const char *name = ssh_message_channel_request_subsystem(message);

	if (!name || strcmp(name, "sftp") != 0)
		return refuse(s, "another subsystem than sftp was asked for");
	if (!c || c->talk || s->reason)
		return REFUSED;
	(void)ssh_message_channel_request_reply_success(message);
	chan_start(c);
	return ANSWERED;
}

static int channel_request(struct session *s, ssh_message message)
{
	switch (ssh_message_subtype(message)) {
	case SSH_CHANNEL_REQUEST_SUBSYSTEM:
		return start_sftp(s, message);
	case SSH_CHANNEL_REQUEST_ENV: /* clients send their locale by habit */
		return REFUSED;
	case SSH_CHANNEL_REQUEST_SHELL:
		return refuse(s, "a shell was asked for");
	case SSH_CHANNEL_REQUEST_EXEC:
		return refuse(s, "a command was to be run");
	case SSH_CHANNEL_REQUEST_PTY:
		return refuse(s, "a terminal was asked for");
	case SSH_CHANNEL_REQUEST_X11:
		return refuse(s, "X11 forwarding was asked for");
	default:
		return REFUSED;
	}
}

int request_on_message(ssh_session ssh, ssh_message message, void *arg)
{
	struct session *s = arg;

	(void)ssh;
	switch (ssh_message_type(message)) {
	case SSH_REQUEST_CHANNEL_OPEN:
		return open_channel(s, message);
	case SSH_REQUEST_CHANNEL:
		return channel_request(s, message);
	case SSH_REQUEST_GLOBAL:
		return refuse(s, "forwarding was asked for");
	case SSH_REQUEST_AUTH: /* after success they are to be ignored (RFC 4252, section 5.1) */
		return ANSWERED;
	default:
		return REFUSED;
	}
}
