/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem: ownership made visible. CLEANUP(fn) runs a destructor when a variable leaves its
 * scope; TAKE and TAKE_FD hand its value on and leave the variable empty.
 */
#ifndef DROPKEEP_MEM_H
#define DROPKEEP_MEM_H

#include <stddef.h>
#include <stdint.h>

/* A variable may be there only to be cleaned up, which clang would call unused. */
#define CLEANUP(fn) __attribute__((cleanup(fn), unused))

#define TAKE(variable)                                    \
	({                                                \
		__typeof__(variable) taken_ = (variable); \
		(variable) = NULL;                        \
		taken_;                                   \
	})

#define TAKE_FD(variable)                \
	({                               \
		int taken_ = (variable); \
		(variable) = -1;         \
		taken_;                  \
	})

#define ARRAY_LEN(array) (sizeof(array) / sizeof *(array))

/* The struct that embeds the member which pointer points to. */
#define CONTAINER_OF(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Zeroed heap memory. These end the process when there is none: a few hundred bytes that
 * cannot be had leave nothing sensible to do. What a peer can size uses mem_try(). */
void *mem_new(size_t size) __attribute__((malloc, returns_nonnull));
char *mem_text(const char *text) __attribute__((malloc, returns_nonnull));
char *mem_text_n(const void *bytes, size_t len) __attribute__((malloc, returns_nonnull));
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* Zeroed heap memory, or NULL. */
void *mem_try(size_t size) __attribute__((malloc));

/* For CLEANUP: free what *pointer (any object pointer) points to. */
void mem_free(void *pointer);

#endif
