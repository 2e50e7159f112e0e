# SPDX-License-Identifier: Apache-2.0
"""
What the power-loss test knows: the trace of what the daemon did to its state directory, a disk
that may lose all that was not synced, and what clients were promised.
"""

import copy
import hashlib
import os
import shutil
import struct

CHUNK = 64 * 1024
SECTOR = 512
HEAD = struct.Struct("=IIIIQQ")
MAGIC = 0x4C414254
CREATE, WRITE, TRUNCATE, SYNC, SYNC_DIR, MKDIR, RENAME, UNLINK, RMDIR, SEAL = range(1, 11)


def sha(data):
    return hashlib.sha256(data).hexdigest()


# --- the trace ----------------------------------------------------------------------------


class Record:
    __slots__ = ("op", "path", "ino", "offset", "data", "end")


def read_trace(path):
    """The records of a trace, each with the offset in the file where it ends."""
    raw = open(path, "rb").read()
    at, records = 0, []
    while at < len(raw):
        r = Record()
        magic, r.op, path_len, data_len, r.ino, r.offset = HEAD.unpack_from(raw, at)
        assert magic == MAGIC, "the trace is torn at %d" % at
        at += HEAD.size
        r.path = raw[at : at + path_len].decode()
        at += path_len
        r.data = raw[at : at + data_len]
        at += data_len
        r.end = at
        records.append(r)
    return records


def read_directory(root):
    """A state directory as it is: folders, and files as (path, inode, content)."""
    folders, files = [], []
    for where, names, leaves in os.walk(root):
        below = os.path.relpath(where, root)
        below = "" if below == "." else below + "/"
        folders += [below + n for n in names]
        for name in leaves:
            full = os.path.join(where, name)
            if os.path.isfile(full) and not name.endswith("-shm"):
                files.append((below + name, os.stat(full).st_ino, open(full, "rb").read()))
    return folders, files


# --- a disk -------------------------------------------------------------------------------


class Inode:
    """What is surely on the disk, and the writes and truncations since the last sync."""

    def __init__(self, content=b"", folder=False):
        self.sure = bytearray(content)
        self.pending = []
        self.syncs = 0
        self.names = {} if folder else None  # of a folder: what surely stands there
        self.changes = []  # of a folder: (name, inode or None) lists that are pending

    def now(self):
        return apply_writes(self.sure, self.pending)

    def names_now(self):
        return apply_changes(self.names, self.changes)


def apply_writes(sure, writes):
    content = bytearray(sure)
    for offset, data in writes:
        if data is None:
            if offset < len(content):
                del content[offset:]
            else:
                content.extend(bytes(offset - len(content)))
            continue
        if offset > len(content):
            content.extend(bytes(offset - len(content)))
        content[offset : offset + len(data)] = data
    return content


def apply_changes(names, changes):
    names = dict(names)
    for change in changes:
        for name, inode in change:
            if inode is None:
                names.pop(name, None)
            else:
                names[name] = inode
    return names


def split(path):
    folder, _, name = path.rpartition("/")
    return folder, name


class Disk:
    """
    Files have what was synced and pending writes, folders what was synced and pending changes of
    names. ignored(record) says which syncs are lies, for the test of this test.
    """

    def __init__(self, base, ignored=lambda record: False):
        folders, files = base
        self.root = Inode(folder=True)
        self.by_ino = {}
        self.ignored = ignored
        self.checkpoint = 0  # the largest that could ever be read
        for path in sorted(folders):
            folder, name = split(path)
            self.find(folder).names[name] = Inode(folder=True)
        for path, ino, content in files:
            folder, name = split(path)
            inode = self.by_ino[ino] = Inode(content)
            self.find(folder).names[name] = inode

    def find(self, path):
        at = self.root
        for part in path.split("/") if path else []:
            at = at.names_now()[part]
        return at

    def change(self, path, inode):
        folder, name = split(path)
        self.find(folder).changes.append([(name, inode)])

    def rename(self, path, to):
        """Within one folder a rename is one change; between two, each has its half."""
        folder, name = split(path)
        folder_to, name_to = split(to)
        inode = self.find(path)
        if folder == folder_to:
            self.find(folder).changes.append([(name, None), (name_to, inode)])
        else:
            self.find(folder_to).changes.append([(name_to, inode)])
            self.find(folder).changes.append([(name, None)])
        if to == "log/checkpoint":
            self.checkpoint = max(self.checkpoint, int(inode.now().split(b"\n")[1]))

    def apply(self, r):
        if r.path.startswith("run/") or r.op == SEAL:
            return
        if r.op == CREATE:
            self.by_ino[r.ino] = Inode()
            self.change(r.path, self.by_ino[r.ino])
        elif r.op == WRITE:
            self.by_ino[r.ino].pending.append((r.offset, r.data))
        elif r.op == TRUNCATE:
            self.by_ino[r.ino].pending.append((r.offset, None))
        elif r.op == SYNC and not self.ignored(r):
            inode = self.by_ino[r.ino]
            inode.sure, inode.pending = inode.now(), []
            inode.syncs += 1
        elif r.op == SYNC_DIR and not self.ignored(r):
            inode = self.find(r.path)
            inode.names, inode.changes = inode.names_now(), []
        elif r.op == MKDIR:
            self.change(r.path, Inode(folder=True))
        elif r.op == RENAME:
            self.rename(r.path, r.data.decode())
        elif r.op in (UNLINK, RMDIR):
            self.change(r.path, None)


class Loss:
    """How one power loss treats what was not synced: all of it is gone, all is there, only
    names are, only contents are, or each its own way."""

    KINDS = ("nothing", "everything", "names", "contents")

    def __init__(self, kind, rng):
        self.kind, self.rng = kind, rng

    def torn(self, write):
        """Some of a write's sectors; in place of others that lie beyond the file's end there
        may be zeros or what the disk had there before."""
        offset, data = write
        out, at = [], 0
        while at < len(data):
            size = SECTOR - (offset + at) % SECTOR
            part = data[at : at + size]
            luck = self.rng.random()
            if luck < 0.5:
                out.append((offset + at, part))
            elif luck < 0.6:
                out.append((offset + at, bytes(len(part))))
            elif luck < 0.7:
                out.append((offset + at, self.rng.randbytes(len(part))))
            at += size
        return out

    def content(self, inode):
        if not inode.pending or self.kind in ("nothing", "names"):
            return inode.sure
        if self.kind in ("everything", "contents"):
            return inode.now()
        kept = []
        for write in inode.pending:
            luck = self.rng.random()
            if luck < 0.4:
                kept.append(write)
            elif luck < 0.7 and write[1]:
                kept += self.torn(write)
        return apply_writes(inode.sure, kept)

    def names(self, folder):
        if not folder.changes or self.kind in ("nothing", "contents"):
            return folder.names
        if self.kind in ("everything", "names"):
            return folder.names_now()
        return apply_changes(folder.names, folder.changes[: self.rng.randint(0, len(folder.changes))])


class Image:
    """A directory that is made again and again. Folders of blobs stay, and what in them is as it
    was: a keep that recovers removes blobs, but never changes one."""

    def __init__(self, where):
        self.where, self.blobs = where, {}

    def make(self, disk, loss):
        for name in os.listdir(self.where) if os.path.isdir(self.where) else []:
            if name != "blobs":
                shutil.rmtree(self.where + "/" + name, ignore_errors=True)
                if os.path.exists(self.where + "/" + name):
                    os.unlink(self.where + "/" + name)
        self.folder(disk.root, "", loss)

    def folder(self, inode, path, loss):
        full = self.where + path
        names = loss.names(inode)
        if path not in self.blobs:
            os.makedirs(full, 0o700, exist_ok=True)
        if path.startswith("/blobs/"):
            for name in self.blobs.setdefault(path, {}).keys() - names.keys():
                self.forget(path, name)
        for name, child in names.items():
            if child.names is not None:
                self.folder(child, path + "/" + name, loss)
            elif path.startswith("/blobs/"):
                self.blob(child, path, name, loss)
            else:
                self.file(full + "/" + name, loss.content(child), 0o400 if path == "/keys" else 0o600)

    def file(self, full, content, mode):
        fd = os.open(full, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        os.write(fd, content)
        os.close(fd)

    def forget(self, path, name):
        del self.blobs[path][name]
        try:
            os.unlink("%s%s/%s" % (self.where, path, name))
        except FileNotFoundError:
            pass

    def blob(self, inode, path, name, loss):
        full = "%s%s/%s" % (self.where, path, name)
        there = self.blobs[path].get(name)
        if not inode.pending and there == (inode, inode.syncs) and os.path.exists(full):
            return
        if there:
            self.forget(path, name)
        self.file(full, loss.content(inode), 0o600)
        self.blobs[path][name] = (inode, inode.syncs if not inode.pending else None)


# --- what was promised --------------------------------------------------------------------


class Partial:
    """An upload under way: the content that is being sent, how much of it was sent, how much was
    said to be durable, and how long it was when somebody began, or went on with it: exact."""

    def __init__(self, cid, sent=0, sure=0, told=0):
        self.cid, self.sent, self.sure, self.told = cid, sent, sure, told


class State:
    """What one client's folder holds."""

    def __init__(self):
        self.files, self.folders, self.partial = {}, set(), {}

    def apply(self, e):
        getattr(self, "on_" + e["act"])(e)

    def on_open(self, e):
        self.partial[e["path"]] = Partial(e["cid"], e["base"], told=e["base"])

    def on_sent(self, e):
        self.partial[e["path"]].sent = max(self.partial[e["path"]].sent, e["upto"])

    def on_told(self, e):
        self.partial[e["path"]].told = e["upto"]

    def on_sync(self, e):
        self.partial[e["path"]].sure = max(self.partial[e["path"]].sure, e["upto"])

    def on_close(self, e):
        self.partial.pop(e["path"], None)
        self.files[e["path"]] = (e["size"], e["sha"], None)

    def on_remove(self, e):
        if self.partial.pop(e["path"], None) is None:
            del self.files[e["path"]]

    def on_rename(self, e):
        self.files[e["to"]] = self.files.pop(e["path"])

    def on_mtime(self, e):
        self.files[e["path"]] = self.files[e["path"]][:2] + (e["mtime"],)

    def on_mkdir(self, e):
        self.folders.add(e["path"])

    def on_rmdir(self, e):
        self.folders.discard(e["path"])

    def on_saw(self, e):
        self.__dict__.update(copy.deepcopy(e["state"]).__dict__)


def possible(entries, cut):
    """The states that a client's folder may be in when the trace ends at cut: after all that was
    acknowledged, with or without what had begun."""
    state, other = State(), None
    for e in entries:
        if e["begin"] > cut:
            break
        if e["acked"] is not None and e["acked"] <= cut:
            state.apply(e)
            other = None
        else:
            other = copy.deepcopy(state)
            other.apply(e)
    return [state] if other is None else [state, other]


def differs(state, seen, root, contents):
    """Why what is there is not this state; None where it is."""
    files = {p: f for p, f in seen["files"].items() if p.startswith(root + "/")}
    uploads = {p: u for p, u in seen["uploads"].items() if p.startswith(root + "/")}
    folders = {p for p in seen["folders"] if (p + "/").startswith(root + "/")}
    if set(files) != set(state.files):
        return "missing %s, surplus %s" % (
            sorted(set(state.files) - set(files)),
            sorted(set(files) - set(state.files)),
        )
    if folders != state.folders:
        return "folders %s instead of %s" % (sorted(folders), sorted(state.folders))
    for path, (size, digest, mtime) in state.files.items():
        f = files[path]
        if (f["size"], f["sha256"]) != (size, digest):
            return "%s has another content, of %d bytes" % (path, f["size"])
        if mtime is not None and f["mtime"] != mtime:
            return "%s has the time %d instead of %d" % (path, f["mtime"], mtime)
    for path in set(uploads) - set(state.partial):
        return "an upload of %s that nobody has begun" % path
    for path, p in state.partial.items():
        why = differs_upload(path, p, uploads.get(path), contents[p.cid])
        if why:
            return why
    return None


def differs_upload(path, p, u, content):
    floor = max(max(p.sure - 1, 0) // CHUNK * CHUNK, p.told)  # fsync promises whole chunks
    if u is None:
        return "the upload of %s is gone" % path if floor else None
    if u["durable"] > p.sent:
        return "%s: %d bytes are durable of %d that were sent" % (path, u["durable"], p.sent)
    if u["prefix"] > u["durable"] or u["prefix"] < floor:
        return "%s: %d bytes can be gone on from, not the %d that were promised" % (path, u["prefix"], floor)
    if u["sha256"] != sha(content[: u["prefix"]]):
        return "%s: its first %d bytes are not what was sent" % (path, u["prefix"])
    return None


def history(records):
    """Files and folders as the audit log tells of them."""
    files, folders = {}, set()
    for r in records:
        event = r["event"]
        if r["outcome"] != "ok":
            continue
        if event == "upload.complete":
            files[r["path"]] = r["sha256"]
        elif event == "rename":
            files[r["to"]] = files.pop(r["path"])
        elif event == "file.remove" and r.get("reason") != "an unfinished upload":
            del files[r["path"]]
        elif event == "folder.make":
            folders.add(r["path"])
        elif event == "folder.remove":
            folders.discard(r["path"])
    return files, folders


def broken(seen, run, cut, checkpoint):
    """Which promises are broken in what a keep found after the trace was cut."""
    if "error" in seen:
        return ["the keep does not start: " + seen["error"]]
    out = list(seen["problems"])
    lines = [r["line"] for r in seen["records"]]
    if lines != run["lines"][: len(lines)]:
        out.append("the log has other records than it had")
    if len(lines) < checkpoint:
        out.append("the log has %d records, its checkpoint had %d" % (len(lines), checkpoint))
    try:
        files, folders = history(seen["records"])
    except (KeyError, TypeError) as e:
        return out + ["a record of what was not there, or that does not open: %s" % e]
    if files != {p: f["sha256"] for p, f in seen["files"].items()}:
        out.append("files and records differ")
    if not folders <= set(seen["folders"]):
        out.append("folders and records differ")
    for root, entries in run["journal"].items():
        why = [differs(s, seen, root, run["contents"]) for s in possible(entries, cut)]
        if None not in why:
            out.append("%s: %s" % (root, " / ".join(why)))
    return out
