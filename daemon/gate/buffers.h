/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buffers: memory for one sealed chunk each, recycled among all transfers of a gate.
 *
 * Loop thread only. What comes back is wiped before anybody else gets it.
 */
#ifndef DROPKEEP_GATE_BUFFERS_H
#define DROPKEEP_GATE_BUFFERS_H

#include <stdint.h>

#include "age/stream.h"

/* AGE_SEALED_CHUNK bytes of any content; E_NOMEM. */
MUST_USE int buffer_take(uint8_t **ret_buffer);

/* Give back *buffer and forget it; NULL is allowed. */
void buffer_give(uint8_t **buffer);

#endif
