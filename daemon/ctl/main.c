/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dropkeepctl: the operator's program.
 */
#include "daemon/ctl/run.h"

int main(int argc, char **argv)
{
	return ctl_main(argc, argv);
}
