/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits: every number that bounds what one connection can make the gate hold or do. What
 * the operator sets (sessions, handles, tries, times) comes with the settings instead.
 *
 * The most that one session can hold: for each of CHANNELS_MAX channels STASH_MAX twice (in
 * libssh and in the stash), OUT_FILL + OUT_HIGH of answers, READS_MAX and CALLS_MAX small
 * records; for each handle a PUT_WINDOW or GET_WINDOW of chunks (put.h, get.h) or one page of
 * a folder (LINK_MAX). All of it is reached by a peer that asks for all and reads nothing.
 */
#ifndef DROPKEEP_GATE_LIMITS_H
#define DROPKEEP_GATE_LIMITS_H

enum {
	/* connections */
	CHANNELS_MAX = 4,        /* open at once in one session */
	NOTES_MAX = 16,          /* refusals of one session that are reported */
	USER_MAX = 255,          /* bytes of a user's name */
	CLIENT_MAX = 255,        /* bytes kept of the client's version line */
	ACCEPTS_PER_WAKE = 16,   /* then the other gates get their turn */
	ACCEPT_PAUSE_MS = 1000,  /* after running out of descriptors */
	DRAIN_POLLS = 64,        /* reads of libssh (4 KiB each) before the loop goes on */
	WRITES_PER_TURN = 4,     /* of OUT_FILL bytes, before the loop goes on */
	STASH_MAX = 4 << 20,     /* unparsed input in libssh: above all its windows */
	STASH_EARLY = 64 * 1024, /* the same before the sftp subsystem was asked for */

	/* SFTP */
	PACKET_MAX = 256 * 1024 + 1024, /* a WRITE: OpenSSH's largest, with its overhead */
	REQUEST_MAX = 64 * 1024,        /* any other request; the draft demands 34000 */
	HANDLE_MAX = 256,               /* bytes, as the draft says; ours have 8 */
	READ_MAX = 255 * 1024,          /* bytes in one DATA: fits OpenSSH's 256 KiB messages */
	PATH_LIMIT = 4096,              /* bytes of a whole path */
	CALLS_MAX = 32,                 /* questions to the keep, opens and closes under way */
	READS_MAX = 512,                /* READs that wait for their data */
	OUT_FILL = 256 * 1024,          /* answers that are made ready for one write */
	OUT_HIGH = 256 * 1024,          /* unsent answers beyond which no request is taken */
	NAMES_FILL = 48 * 1024,         /* a NAME answer to READDIR */
	OWNERS_MAX = 32,                /* names remembered for users-groups-by-id */
};

#endif
