/* SPDX-License-Identifier: Apache-2.0 */
#include "client/progress.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "client/say.h"

enum { DRAW_MS = 200, EVENT_MS = 1000, LINE = 512 };

static struct {
	pthread_mutex_t lock;
	uint64_t files, files_done, bytes, bytes_done, moved;
	char name[256];
	int64_t shown_ms;
	int64_t measured_ms; /* the speed: moved since then */
	uint64_t measured_at, rate;
} now = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void hold(void)
{
	(void)pthread_mutex_lock(&now.lock);
}

static void let_go(void)
{
	(void)pthread_mutex_unlock(&now.lock);
}

void progress_begin(uint64_t files, uint64_t bytes)
{
	hold();
	now.files = files;
	now.bytes = bytes;
	now.files_done = now.bytes_done = now.moved = now.measured_at = now.rate = 0;
	now.name[0] = '\0';
	now.shown_ms = now.measured_ms = clock_mono_ms();
	let_go();
}

void progress_name(const char *name)
{
	hold();
	(void)snprintf(now.name, sizeof now.name, "%s", name);
	let_go();
}

void progress_moved(uint64_t bytes)
{
	hold();
	now.bytes_done += bytes;
	now.moved += bytes;
	let_go();
}

void progress_had(uint64_t bytes)
{
	hold();
	now.bytes_done += bytes;
	let_go();
}

void progress_back(uint64_t bytes)
{
	hold();
	now.bytes_done -= bytes < now.bytes_done ? bytes : now.bytes_done;
	let_go();
}

void progress_file_done(void)
{
	hold();
	now.files_done++;
	let_go();
}

/* Half of the speed is that of the last second, a quarter that of the one before, … */
static void measure(int64_t at_ms)
{
	int64_t passed = at_ms - now.measured_ms;

	if (passed < EVENT_MS)
		return;
	uint64_t rate = (now.moved - now.measured_at) * 1000 / (uint64_t)passed;
	now.rate = now.rate ? (now.rate + rate) / 2 : rate;
	now.measured_ms = at_ms;
	now.measured_at = now.moved;
}

/* The end of a name, cut where a character begins. */
static const char *tail(const char *name, size_t room)
{
	size_t len = strlen(name);
	const char *from = len > room ? name + (len - room) : name;

	while (((unsigned char)*from & 0xc0) == 0x80)
		from++;
	return from;
}

static void add(char *line, size_t room, const char *text)
{
	size_t used = strlen(line);

	(void)snprintf(line + used, room - used, "%s%s", used ? "  " : "", text);
}

static void add_time(const struct progress_view *v, char *line, size_t room)
{
	char text[64];
	uint64_t left = v->bytes > v->bytes_done ? v->bytes - v->bytes_done : 0;

	if (!v->rate || !v->bytes)
		return;
	uint64_t s = left / v->rate;
	if (s < 360000) {
		(void)snprintf(text, sizeof text, "ETA %llu:%02llu:%02llu",
			       (unsigned long long)(s / 3600), (unsigned long long)(s / 60 % 60),
			       (unsigned long long)(s % 60));
		add(line, room, text);
	}
}

void progress_line(const struct progress_view *v, size_t columns, char *ret_line, size_t room)
{
	char text[128], done[UNITS_TEXT], all[UNITS_TEXT];

	ret_line[0] = '\0';
	if (v->files > 1) {
		(void)snprintf(text, sizeof text, "%llu/%llu files",
			       (unsigned long long)v->files_done, (unsigned long long)v->files);
		add(ret_line, room, text);
	}
	size_text(v->bytes_done, done);
	size_text(v->bytes, all);
	if (v->bytes)
		(void)snprintf(text, sizeof text, "%s of %s  %u%%", done, all,
			       v->bytes_done < v->bytes
				   ? (unsigned)((double)v->bytes_done * 100 / (double)v->bytes)
				   : 100);
	else
		(void)snprintf(text, sizeof text, "%s", done);
	add(ret_line, room, text);
	if (v->rate) {
		size_text(v->rate, done);
		(void)snprintf(text, sizeof text, "%s/s", done);
		add(ret_line, room, text);
	}
	add_time(v, ret_line, room);
	size_t used = strlen(ret_line);
	if (v->name[0] && used + 10 < columns)
		add(ret_line, room, tail(v->name, columns - used - 3));
	if (strlen(ret_line) >= columns && columns)
		ret_line[columns - 1] = '\0';
}

static size_t columns(void)
{
	struct winsize w;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : 80;
}

static void show(void)
{
	const struct progress_view v = {now.name,  now.files,      now.files_done,
					now.bytes, now.bytes_done, now.rate};
	char line[LINE];

	if (say_is_json()) {
		say_json(json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "event", "progress", "files",
				   (json_int_t)v.files, "files_done", (json_int_t)v.files_done,
				   "bytes", (json_int_t)v.bytes, "bytes_done",
				   (json_int_t)v.bytes_done, "rate", (json_int_t)v.rate));
		return;
	}
	progress_line(&v, columns(), line, sizeof line);
	say_progress(line);
}

void progress_show(void)
{
	int64_t at_ms = clock_mono_ms();

	if (!say_is_json() && !say_may_draw())
		return;
	hold();
	measure(at_ms);
	if (at_ms - now.shown_ms >= (say_is_json() ? EVENT_MS : DRAW_MS)) {
		now.shown_ms = at_ms;
		show();
	}
	let_go();
}

void progress_end(void)
{
	if (say_may_draw())
		say_progress("");
}
