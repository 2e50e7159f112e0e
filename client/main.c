/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dropkeep: the program of those who send and fetch.
 */
#include "client/run.h"

int main(int argc, char **argv)
{
	return client_main(argc, argv);
}
