/* SPDX-License-Identifier: Apache-2.0 */
/*
 * banned: calls whose misuse is a security hole fail to compile.
 *
 * Forced into every translation unit of ours by the build (-include), after the
 * system headers that declare these names have been read.
 */
#ifndef DROPKEEP_BANNED_H
#define DROPKEEP_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef strtok
#undef atoi
#undef atol
#undef system
#undef popen
#undef gets

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol system popen gets

#endif
