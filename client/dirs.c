/* SPDX-License-Identifier: Apache-2.0 */
#include "client/dirs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"

static const struct {
	const char *variable, *below_home;
} kinds[] = {
    [DIRS_CONFIG] = {"XDG_CONFIG_HOME", ".config"},
    [DIRS_STATE] = {"XDG_STATE_HOME", ".local/state"},
    [DIRS_DATA] = {"XDG_DATA_HOME", ".local/share"},
};

int dirs_path(enum dirs_kind kind, const char *below, char **ret_path)
{
	const char *base = getenv(kinds[kind].variable), *home = getenv("HOME");
	const char *slash = below[0] ? "/" : "";

	/* "If an implementation encounters a relative path in any of these variables it should
	 * consider the path invalid and ignore it." */
	if (base && base[0] == '/')
		*ret_path = mem_printf("%s/dropkeep%s%s", base, slash, below);
	else if (home && home[0] == '/')
		*ret_path =
		    mem_printf("%s/%s/dropkeep%s%s", home, kinds[kind].below_home, slash, below);
	else
		return fail(E_CONFIG, "neither %s nor HOME is set", kinds[kind].variable);
	return 0;
}

static int sync_above(const char *path)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(mem_free)
	char *above = slash == path ? mem_text("/") : mem_text_n(path, (size_t)(slash - path));

	return sys_sync_dir(AT_FDCWD, above);
}

int dirs_make(const char *path)
{
	CLEANUP(mem_free) char *part = mem_text(path);

	for (char *at = part + 1;; at++) {
		if (*at && *at != '/')
			continue;
		char kept = *at;
		*at = '\0';
		int rc = sys_mkdir(AT_FDCWD, part, 0700);
		if (rc && rc != E_EXISTS)
			return fail(rc, "cannot make folder %s", part);
		if (!rc) /* else it could go with a crash, and a receipt with it */
			(void)!sync_above(part);
		err_clear();
		*at = kept;
		if (!kept)
			return 0;
	}
}

int dirs_open(enum dirs_kind kind, const char *below, int *ret_fd)
{
	CLEANUP(mem_free) char *path = NULL;
	int rc = dirs_path(kind, below, &path);

	if (!rc)
		rc = dirs_make(path);
	if (!rc)
		rc = sys_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, ret_fd);
	return rc ? fail(rc, "folder of dropkeep") : 0;
}
