/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab: what is put between the programs and the system in the test builds lab/dropkeepd and
 * lab/dropkeep-gate. These are made of the very objects of the shipped programs; the lab
 * defines the functions of the C library by which files change, so that ours and SQLite's
 * calls come here first.
 *
 * Dormant unless the running program's own directory has steering files (lab.sh makes them):
 *
 *	seals   each sealed chunk adds a line: SHA-256 of the payload key, counter, whether it
 *	        is the last, SHA-256 of the plaintext
 *	state   the path of the state directory; needed by the two below
 *	shared  a mapping that all processes share, see struct lab_shared: the plan of faults
 *	trace   each change of the state directory adds a record, see lab_trace.c
 *
 * They are opened before main(), since a gate soon can open nothing any more. Functions may be
 * called from any thread. What the lab itself cannot do ends the program.
 */
#ifndef DROPKEEP_TESTS_LAB_H
#define DROPKEEP_TESTS_LAB_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	LAB_PATH = 72,   /* of a path below the state directory */
	LAB_RULES = 32,  /* lines of a plan */
	LAB_PLAN = 3576, /* text of a plan */
	LAB_GENERATION = 8,
	LAB_FILES = 1 << 17 /* a power of two; tmpfs uses no inode number again */
};

/* The classes of calls; lab_class_names has their words. */
enum lab_class {
	LAB_OPEN,   /* of what must be there */
	LAB_CREATE, /* open with O_CREAT */
	LAB_READ,
	LAB_WRITE,
	LAB_TRUNCATE,
	LAB_SYNC,
	LAB_MKDIR,
	LAB_RENAME,
	LAB_UNLINK, /* folders too */
	LAB_CLASSES
};
extern const char *const lab_class_names[LAB_CLASSES];

/* Which path below the state directory a file had when it was last opened by name: a gate gets
 * descriptors without names. */
struct lab_file {
	uint64_t dev, ino;
	char path[LAB_PATH];
};

/* The file `shared`. lab.sh writes the plan and reads the counts by their offsets. */
struct lab_shared {
	uint64_t seen[LAB_RULES]; /* calls that a rule was about */
	uint64_t fired[LAB_RULES];
	char plan[LAB_PLAN];             /* a line for each rule, see lab.sh */
	char generation[LAB_GENERATION]; /* another one: the plan is to be read again */
	uint64_t made;                   /* non-zero: what follows is set up */
	pthread_mutex_t mutex;
	bool held_by_gate; /* the mutex, now or last */
	struct lab_file file[LAB_FILES];
};

/* One call on something below the state directory, from lab_enter() to lab_leave(). */
struct lab_call {
	enum lab_class class;
	char path[LAB_PATH]; /* below the state directory; "" for the directory itself */
	bool locked;
	bool skip; /* say that it was done, and do nothing */
	bool half; /* write half of it */
	bool crash_after;
	int error; /* fail with this instead */
};

/* ---- lab_steer.c ---- */

extern struct lab_shared *lab_shared; /* NULL: neither faults nor trace */
extern bool lab_is_gate;
extern int lab_seals_fd, lab_trace_fd; /* -1 where there is none */

_Noreturn void lab_die(const char *why);
void lab_lock(void);
void lab_unlock(void);

/* The path below the state directory. False for what is elsewhere. */
bool lab_path_of_name(int dir_fd, const char *name, char ret_path[LAB_PATH]);
struct stat;
bool lab_path_of_inode(const struct stat *st, char ret_path[LAB_PATH]);
void lab_remember(int fd, const char *path);

/* ---- lab_faults.c ---- */

/* With the lock held: count the call, and say in it what the plan wants. */
void lab_judge(struct lab_call *call);

/* ---- lab_trace.c ---- */

enum lab_trace_op {
	TRACE_CREATE = 1, /* path, ino */
	TRACE_WRITE,      /* path, ino, offset, data */
	TRACE_TRUNCATE,   /* path, ino, offset: the new size */
	TRACE_SYNC,       /* path, ino: a file's content */
	TRACE_SYNC_DIR,   /* path */
	TRACE_MKDIR,      /* path */
	TRACE_RENAME,     /* path, data: the new path */
	TRACE_UNLINK,     /* path */
	TRACE_RMDIR,      /* path */
	TRACE_SEAL        /* data: the line for the file seals */
};
void lab_trace(enum lab_trace_op op, const char *path, uint64_t ino, uint64_t offset,
	       const void *data, size_t len);

#endif
