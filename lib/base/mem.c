/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *memory)
{
	if (!memory) {
		(void)fputs("dropkeep: out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *mem_try(size_t size)
{
	return calloc(1, size ? size : 1);
}

void *mem_new(size_t size)
{
	return or_die(mem_try(size));
}

char *mem_text(const char *text)
{
	return or_die(strdup(text));
}

char *mem_text_n(const void *bytes, size_t len)
{
	char *text = mem_new(len + 1);

	if (len)
		memcpy(text, bytes, len);
	return text;
}

char *mem_printf(const char *format, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	return or_die(n < 0 ? NULL : text);
}

void mem_free(void *pointer)
{
	void **slot = pointer;

	free(*slot);
	*slot = NULL;
}
