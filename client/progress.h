/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress: how far all of it is, for a line on the terminal and for events.
 *
 * Workers add to it from their threads; one thread draws.
 */
#ifndef DROPKEEP_CLIENT_PROGRESS_H
#define DROPKEEP_CLIENT_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

/* Before the work; bytes 0: nobody knows how much it will be. */
void progress_begin(uint64_t files, uint64_t bytes);

void progress_name(const char *name); /* what is being done now; a safe text */
void progress_moved(uint64_t bytes);  /* over the network, now */
void progress_had(uint64_t bytes);    /* was there before: counts, but for no speed */
void progress_back(uint64_t bytes);   /* has to come again */
void progress_file_done(void);

/* Draw, or tell as an event with --json, if it is time for it. */
void progress_show(void);
void progress_end(void);

/* The line, for a terminal that wide. Pure. */
struct progress_view {
	const char *name;
	uint64_t files, files_done, bytes, bytes_done;
	uint64_t rate; /* bytes a second */
};
void progress_line(const struct progress_view *v, size_t columns, char *ret_line, size_t room);

#endif
