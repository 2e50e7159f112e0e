# SPDX-License-Identifier: Apache-2.0
"""What must be there: one worker's area, and what may have become of its last act.

An area is a dictionary from paths to DIR or a File. Nobody else writes there, so that at any
time at most one act is in doubt, and each of its outcomes is an area of its own.
"""

from collections import namedtuple

DIR = "folder"
PAST = range(10**9, 17 * 10**8)  # what a time is set to: none that the server sets by itself
UNSURE = "unsure"  # the beginning of one of several contents


class File(namedtuple("File", "version mtime partial most")):
    """version: the Content that others see, or None; mtime: as far as it was set.
    partial: the Content of which a beginning may be there for the sender, or UNSURE, or None;
    most: as much of it as was ever sent."""

    def finished(self):
        return self.version is not None and self.partial is None


def file_of(content):
    return File(content, None, None, 0)


class Outcome(namedtuple("Outcome", "name area records")):
    """records: what the log then has, as (event, path, …) in the judge's words."""



def with_entry(area, path, entry):
    """A copy of the area that has it; None takes the name away."""
    area = dict(area)
    if entry is None:
        area.pop(path, None)
    else:
        area[path] = entry
    return area


def moved(area, old, new):
    """A file or a folder with all that is in it; what was at the new name is gone."""
    found = {}
    for path, entry in area.items():
        if path == new:
            continue
        if path == old or path.startswith(old + "/"):
            path = new + path[len(old) :]
        found[path] = entry
    found[new] = area[old]
    return found


def misfit(area, mine, theirs):
    """Why the area cannot be what its sender and another see; None where it can."""
    for path in sorted(set(mine) | set(theirs) - set(area)):
        if path not in area:
            return "%s is there for %s" % (path, "others" if path in theirs else "its sender")
    for path, entry in sorted(area.items()):
        why = misfit_dir(path, mine, theirs) if entry == DIR else misfit_file(path, entry, mine, theirs)
        if why:
            return why
    return None


def misfit_dir(path, mine, theirs):
    for view, who in ((mine, "its sender"), (theirs, "others")):
        if path not in view:
            return "folder %s is missing for %s" % (path, who)
        if view[path] is not None:
            return "%s is no folder for %s" % (path, who)
    return None


def misfit_file(path, entry, mine, theirs):
    if entry.version is None and path in theirs:
        return "%s was never finished, and is there for others" % path
    if entry.version is not None:
        if theirs.get(path) is None:
            return "%s is missing for others" % path
        if theirs[path][0] != entry.version.size:
            return "%s has %d bytes for others, not %d" % (path, theirs[path][0], entry.version.size)
        if theirs[path][1] != entry.mtime and (entry.mtime or theirs[path][1] in PAST):
            return "%s has the time %d, not %s" % (path, theirs[path][1], entry.mtime)
        if path not in mine:
            return "%s is missing for its sender" % path
    if path in mine and mine[path] is None:
        return "%s is a folder" % path
    if path in mine and not (entry.version and mine[path][0] == entry.version.size):
        if entry.partial is None or mine[path][0] > entry.most:
            return "%s has %d bytes for its sender, of %r" % (path, mine[path][0], entry)
    return None


def in_doubt(outcomes):
    """The paths whose published content tells the outcomes apart."""
    paths = set().union(*(o.area for o in outcomes))

    def version(outcome, path):
        entry = outcome.area.get(path)
        return entry.version if isinstance(entry, File) else None

    return [p for p in sorted(paths) if len({version(o, p) for o in outcomes}) > 1]
