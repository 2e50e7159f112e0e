/* SPDX-License-Identifier: Apache-2.0 */
#include "client/stop.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static atomic_bool wanted;

static void on_signal(int number)
{
	(void)number;
	if (atomic_exchange(&wanted, true))
		_exit(EXIT_INTERRUPTED);
}

void stop_setup(void)
{
	struct sigaction stop = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
	struct sigaction hup = {0};

	(void)sigaction(SIGINT, &stop, NULL);
	(void)sigaction(SIGTERM, &stop, NULL);
	/* nohup(1) has said that the end of the terminal is none of ours. */
	if (sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler != SIG_IGN)
		(void)sigaction(SIGHUP, &stop, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

bool stop_wanted(void)
{
	return atomic_load(&wanted);
}

void stop_want(void)
{
	atomic_store(&wanted, true);
}

void stop_wait_ms(uint64_t ms)
{
	const struct timespec nap = {0, 50 * 1000000L};
	int64_t end = clock_mono_ms() + (int64_t)ms;

	while (!stop_wanted() && clock_mono_ms() < end)
		(void)nanosleep(&nap, NULL);
}
