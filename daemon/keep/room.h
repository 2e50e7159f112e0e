/* SPDX-License-Identifier: Apache-2.0 */
/*
 * room: what keeps catalog and log going when other programs have filled the disk.
 *
 * Uploads stop above a reserve (puts.h), but that binds nobody else. So the state directory
 * has a file of no content, the ballast, whose blocks are given up when less is free than
 * catalog and log may need at once: deletes, which make room, are then still possible. It is
 * made again as soon as there is plenty. While it is missing, uploads leave its size alone.
 * Both are recorded: disk.low, disk.ok. Without a ballast all goes on, till the disk is full.
 * Owned by the loop thread.
 */
#ifndef DROPKEEP_KEEP_ROOM_H
#define DROPKEEP_KEEP_ROOM_H

#include <stdbool.h>
#include <stdint.h>

struct keep;
struct room;

/* Before the catalog is opened: gives the ballast up where the disk is full, makes it where it
 * is missing and may be. ballast: its size, 0 for none; reserve: what uploads leave free. */
struct room *room_open(int state_fd, uint64_t ballast, uint64_t reserve);
void room_free(struct room **r);

/* Before a transaction; one system call where all is well. */
void room_check(struct keep *keep);

/* Now and then: makes the ballast again, on the pool. */
void room_watch(struct keep *keep);

/* Bytes that uploads leave free beside the reserve: the ballast's where it is missing. */
uint64_t room_missing(const struct room *r);

#endif
