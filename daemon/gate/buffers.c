/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/buffers.h"

#include <stdlib.h>

/* Two megabytes of rest between busy moments; what is more goes back to the system. */
enum { SPARE_MAX = 32 };

static uint8_t *spare[SPARE_MAX];
static unsigned spare_count;

int buffer_take(uint8_t **ret_buffer)
{
	uint8_t *b = spare_count ? spare[--spare_count] : malloc(AGE_SEALED_CHUNK);

	if (!b)
		return fail(E_NOMEM, "no memory for another chunk");
	*ret_buffer = b;
	return 0;
}

void buffer_give(uint8_t **buffer)
{
	if (!*buffer)
		return;
	wipe(*buffer, AGE_SEALED_CHUNK);
	if (spare_count < SPARE_MAX)
		spare[spare_count++] = *buffer;
	else
		free(*buffer);
	*buffer = NULL;
}
