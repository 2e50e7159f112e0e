# SPDX-License-Identifier: Apache-2.0
"""A user at work: one connection, one area, acts at random, one after the other."""

import random
import threading
import time

from client import CREAT, TRUNC, WRITE, Client, Cut, Hung, Refused
from model import DIR, PAST, UNSURE, File, Outcome, file_of, in_doubt, misfit, moved, with_entry

KIB = 1024
CHUNK = 64 * KIB
FILES, FOLDERS = 12, 4
SAMPLE = 3  # files that are read after each loss of the connection


class Stop(Exception):
    """Something is wrong, and is in the journal."""


class Worker(threading.Thread):
    big = threading.Lock()  # one large file at a time

    def __init__(self, world, number, user, top, eye):
        super().__init__(name="%s.%d" % (user, number), daemon=True)
        self.world, self.journal = world, world.journal
        self.rng = random.Random("%s/%d" % (world.seed, number))
        self.top = "%s/w%d" % (top, number)
        self.client = Client(world.place, user)
        self.eye = Client(world.place, eye)
        self.user = user
        self.area = {}
        self.doubt = None  # outcomes of the act that was cut off
        self.names = 0
        self.stopping = False
        self.connected = False

    # --- life ----------------------------------------------------------------------------

    def run(self):
        try:
            while not self.stopping:
                self.one_act()
            self.finish()
        except Stop:
            pass
        except Hung as e:
            self.journal.wrong(self.name, "%s, in %s" % (e, self.last))
        except Exception as e:  # of this program, not of the one that it tests
            self.journal.wrong(self.name, "%r, in %s" % (e, self.last))
            raise
        finally:
            self.client.end()
            self.eye.end()

    last = "the beginning"

    def one_act(self):
        try:
            if not self.connected:
                self.settle()
            (self.choose() if self.area else self.begin)()
        except Cut:
            self.connected = False

    def begin(self):
        self.act("folder.make", [self.top], lambda: self.client.mkdir(self.top),
                 {self.top: DIR}, [("folder.make", self.top)])

    def wrong(self, what):
        self.journal.wrong(self.name, what)
        raise Stop()

    # --- one act -------------------------------------------------------------------------

    def act(self, name, details, do, area, records, stage=None):
        """Do it; afterwards the area and the log's records are these, or nothing has changed."""
        self.attempt(name, details, lambda outcomes: do(), [Outcome(name, area, records)], stage or name)

    def attempt(self, name, details, do, outcomes, stage=None):
        """do(outcomes) may add to the outcomes as it goes on; when it returns, the last one holds.
        That nothing has changed is always one of them."""
        outcomes = [Outcome("nothing", self.area, [])] + outcomes
        kills, self.last = self.world.kills(), "%s %s" % (name, details)
        self.journal.note(self.name, "begin", name, *details)
        self.journal.count("acts")
        if stage:
            self.journal.ring(stage)
        try:
            do(outcomes)
        except Cut:
            self.journal.note(self.name, "cut", name, *details)
            self.journal.count("cut off")
            self.doubt = outcomes
            raise
        except Refused as e:
            self.journal.note(self.name, "refused", name, str(e))
            self.journal.count("refused")
            if self.world.kills() == kills:
                self.wrong("%s %s was refused: %s" % (name, details, e))
            self.doubt = outcomes
            self.client.end()
            raise Cut("after a refusal")
        self.journal.ring("answered")
        self.journal.note(self.name, "ok", name)
        self.journal.count("acknowledged")
        self.hold(outcomes[-1])

    def hold(self, outcome):
        self.area = outcome.area
        self.journal.expect([(event, self.user) + tuple(rest) for event, *rest in outcome.records])

    # --- after a loss ----------------------------------------------------------------------

    def settle(self):
        """Connect again, find out what became of the last act, compare all that can be seen."""
        end = time.monotonic() + 60
        while not self.connected:
            try:
                self.client.end()
                self.client.connect()
                if not (self.eye.transport and self.eye.transport.is_active()):
                    self.eye.connect()
                self.connected = True
            except Cut:
                if time.monotonic() > end:
                    self.wrong("no connection within a minute")
                time.sleep(0.05)
        if self.area or self.doubt:
            self.looking(self.resolve)
            files = self.published()
            self.looking(self.compare, self.rng.sample(files, min(SAMPLE, len(files))))

    def looking(self, act, *args):
        """Nothing of it may be refused."""
        kills = self.world.kills()
        try:
            act(*args)
        except Refused as e:
            if self.world.kills() == kills:
                self.wrong("after %s, looking was refused: %s" % (self.last, e))
            raise Cut("refused")

    def look(self, client):
        """What the client sees of the area."""
        if client.stat(self.top) is None:
            return {}
        found = client.walk(self.top)
        found[self.top] = None
        return found

    def resolve(self):
        mine, theirs = self.look(self.client), self.look(self.eye)
        outcomes = self.doubt or [Outcome("as it was", self.area, [])]
        whys = [misfit(o.area, mine, theirs) for o in outcomes]
        fits = [o for o, why in zip(outcomes, whys) if not why]
        if len(fits) > 1:
            fits = self.by_content(fits)
        if len(fits) > 1:
            fits = self.by_partial(fits)
        if not fits:
            self.wrong("after %s: %s" % (self.last, "; ".join(
                "not '%s': %s" % (o.name, why or "another content") for o, why in zip(outcomes, whys))))
        if len(fits) > 1 and any(sorted(f.records) != sorted(fits[0].records) for f in fits):
            self.wrong("after %s: which of %s?" % (self.last, [f.name for f in fits]))
        if self.doubt:
            self.journal.note(self.name, "resolved", fits[-1].name)
            self.journal.count("of unknown outcome")
            self.journal.count("of these carried out", bool(fits[-1].records))
        self.doubt = None
        self.hold(fits[-1])
        self.partials(mine)

    def by_content(self, outcomes):
        got = {p: self.eye.fetch(p) for p in in_doubt(outcomes)
               if any(isinstance(o.area.get(p), File) and o.area[p].version for o in outcomes)}

        def agrees(outcome):
            for path, (_, sha) in got.items():
                entry = outcome.area.get(path)
                if not isinstance(entry, File) or not entry.version or entry.version.sha != sha:
                    return False
            return True

        return [o for o in outcomes if agrees(o)]

    def by_partial(self, outcomes):
        """A partial that was there before it was to be removed is there now, or was removed."""
        removed = [r[1] for o in outcomes for r in o.records if r[0] == "file.remove"]
        if not removed:
            return outcomes
        still = self.client.kind(removed[0]) == "partial"
        return [o for o in outcomes if still != bool(o.records)]

    def partials(self, mine):
        """Which of the partials that may be there are."""
        for path, entry in list(self.area.items()):
            if entry == DIR or entry.partial is None:
                continue
            kind = self.client.kind(path) if path in mine else None
            self.journal.note(self.name, "partial", path, kind, mine.get(path))
            if kind == "partial":
                self.journal.count("partials seen")
                continue
            if kind == "file" and entry.version is None:
                self.wrong("%s was never finished, and is a file" % path)
            self.area = with_entry(self.area, path, entry.version and entry._replace(partial=None, most=0))

    def compare(self, paths):
        for path in paths:
            version = self.area[path].version
            size, sha = self.eye.fetch(path)
            self.journal.count("read")
            if (size, sha) != (version.size, version.sha):
                self.wrong("%s has %d bytes %s, not %r" % (path, size, sha[:8], version))

    # --- what there is -----------------------------------------------------------------------

    def entries(self, test):
        return sorted(p for p, e in self.area.items() if p != self.top and test(e))

    def files(self):
        return self.entries(lambda e: e != DIR)

    def published(self):
        return self.entries(lambda e: e != DIR and e.version)

    def finished(self):
        return self.entries(lambda e: e != DIR and e.finished())

    def resumable(self):
        return self.entries(lambda e: e != DIR and e.partial not in (None, UNSURE))

    def folders(self):
        return self.entries(lambda e: e == DIR)

    def new_name(self, kind="f", folders=True):
        self.names += 1
        where = [self.top] + (self.folders() if folders else [])
        return "%s/%s%d" % (self.rng.choice(where), kind, self.names)

    def choose(self):
        able = [(6, self.put_new) if len(self.files()) < FILES else (6, self.remove)]
        able += [(2, self.read_back), (1, self.list_all)]
        if len(self.folders()) < FOLDERS:
            able.append((2, self.make_folder))
        if self.folders():
            able += [(1, self.remove_folder), (2, self.move_folder)]
        if self.files():
            able += [(4, self.put_over), (3, self.remove), (3, self.move), (2, self.move_over)]
        if self.finished():
            able += [(2, self.extend), (2, self.touch)]
        if self.resumable():
            able.append((12, self.resume))
        return self.rng.choices([a for _, a in able], [w for w, _ in able])[0]

    def size(self):
        r = self.rng
        if self.world.long and r.random() < 0.004:
            return r.randrange(64 * 1024 * KIB, 72 * 1024 * KIB)
        return r.choice((0, 1, r.randrange(2, 3000), CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK,
                         r.randrange(700 * KIB), r.randrange(700 * KIB), r.randrange(3000 * KIB)))

    # --- uploads -------------------------------------------------------------------------------

    def put_new(self):
        name = self.new_name()
        if self.rng.random() < 0.4:
            self.put(name + ".part")
            self.move_to(name + ".part", name)
        else:
            self.put(name)

    def put_over(self):
        path = self.rng.choice(self.files())
        if self.rng.random() < 0.4:
            self.put(self.new_name("t", folders=False))
            temporary = "%s/t%d" % (self.top, self.names)
            if path != temporary:
                self.move_to(temporary, path)
        else:
            self.put(path)

    def put(self, path):
        old = self.area.get(path)
        size = self.size()
        if size == 0 and old and old.version and old.version.size == 0:
            size = 17  # nothing would tell one from the other
        content = self.world.contents.make(self.rng, size)
        partial = UNSURE if old and old.partial else content
        most = max(old.most if old else 0, content.size)
        version, mtime = (old.version, old.mtime) if old else (None, None)
        begun = with_entry(self.area, path, File(version, mtime, partial, most))
        self.send(path, content, WRITE | CREAT | TRUNC, 0, begun)

    def extend(self):
        """Open a finished file, and add to it."""
        path = self.rng.choice(self.finished())
        old = self.area[path]
        content = self.world.contents.make(self.rng, self.rng.randrange(1, 200 * KIB), old.version)
        begun = with_entry(self.area, path, File(old.version, old.mtime, content, content.size))
        self.send(path, content, WRITE, old.version.size, begun)

    def resume(self):
        self.resume_at(self.rng.choice(self.resumable()))

    def resume_at(self, path):
        entry = self.area[path]
        try:
            seen = self.client.stat(path)
        except Refused as e:
            self.wrong("no stat of %s: %s" % (path, e))
        if seen is None or seen.st_size > entry.partial.size:
            self.wrong("the partial %s of %r has become %s" % (path, entry, seen and seen.st_size))
        self.journal.count("resumed")
        begun = with_entry(self.area, path, entry._replace(most=entry.partial.size))
        self.send(path, entry.partial, WRITE, seen.st_size, begun)

    def send(self, path, content, flags, offset, begun):
        """Open, write from there to the content's end, close; or cut it off on the way."""
        records = [("upload.complete", path, content.size, content.sha)]
        done = Outcome("published", with_entry(self.area, path, file_of(content)), records)
        large = content.size > 16 * 1024 * KIB
        cut_at = None
        if content.size - offset > 1 and self.rng.random() < 0.1:
            cut_at = self.rng.randrange(offset + 1, content.size)
            if cut_at - cut_at % CHUNK > offset and self.rng.random() < 0.3:
                cut_at -= cut_at % CHUNK

        def do(outcomes):
            handle = self.client.open(path, flags)
            self.check_offset(handle, path, offset)
            data = content.bytes()
            if cut_at:
                self.client.write(handle, offset, data[offset:cut_at])
                self.break_off(path, cut_at, begun)
            self.write(handle, offset, data)
            content.closing = True
            outcomes.append(done)
            self.journal.ring("close")
            self.client.close(handle)

        outcomes = [Outcome("begun", begun, [])]
        if large:
            with Worker.big:
                self.journal.count("large")
                self.attempt("put", [path, offset, content], do, outcomes, "open")
        else:
            self.attempt("put", [path, offset, content], do, outcomes, "open")

    def check_offset(self, handle, path, offset):
        size = self.client.handle_size(handle)
        if size != offset:
            self.wrong("%s was opened at %d, not at %d" % (path, size, offset))

    def write(self, handle, offset, data):
        """In some pieces; now and then synced in between."""
        while offset < len(data):
            step = self.rng.choice((len(data), 100 * KIB, 400 * KIB, 16 * 1024 * KIB))
            self.client.write(handle, offset, data[offset : offset + step])
            self.journal.ring("write")
            offset += step
            if self.rng.random() < 0.15:
                self.journal.ring("fsync")
                self.client.fsync(handle)

    def break_off(self, path, size, begun):
        """The client's own end: what was answered must be there, to the byte."""
        kills = self.world.kills()
        self.journal.count("broken off")
        (self.client.reset if self.rng.random() < 0.5 else self.client.end)()
        end = time.monotonic() + 20
        while self.world.kills() == kills:
            probe = Client(self.world.place, self.user)
            try:
                probe.connect()
                seen = probe.stat(path)
            except Cut:
                break
            finally:
                probe.end()
            if seen is not None and seen.st_size == size:
                break
            if time.monotonic() > end:
                if self.world.kills() == kills:
                    self.wrong("%s was cut off at %d, and has %s" % (path, size, seen and seen.st_size))
                break
            time.sleep(0.05)
        raise Cut("by ourselves")

    # --- names -----------------------------------------------------------------------------------

    def move(self):
        self.move_to(self.rng.choice(self.files()), self.new_name("m"))

    def move_over(self):
        """posix-rename onto another file, which must not be more than what replaces it."""
        old, new = self.rng.choice(self.files()), self.rng.choice(self.files())
        if old != new and (self.area[old].version or not self.area[new].version):
            self.move_to(old, new)

    def move_folder(self):
        old, new = self.rng.choice(self.folders()), self.new_name("d", folders=False)
        self.move_to(old, new)

    def move_to(self, old, new):
        replace = new in self.area
        if replace and self.area[new].version and not self.area[old].version:
            return
        records = [("file.replace", new)] if replace else []
        records.append(("rename", old, new))
        self.act("rename", [old, new], lambda: self.client.rename(old, new, replace),
                 moved(self.area, old, new), records)

    def make_folder(self):
        path = self.new_name("d", folders=False)
        self.act("folder.make", [path], lambda: self.client.mkdir(path),
                 with_entry(self.area, path, DIR), [("folder.make", path)])

    def remove_folder(self):
        path = self.rng.choice(self.folders())
        if any(p.startswith(path + "/") for p in self.area):
            return
        self.act("folder.remove", [path], lambda: self.client.rmdir(path),
                 with_entry(self.area, path, None), [("folder.remove", path)])

    def remove(self):
        """An own partial goes first, what is published with a second remove."""
        path = self.rng.choice(self.files())
        entry = self.area[path]
        left = entry._replace(partial=None, most=0) if entry.partial and entry.version else None
        reason = "an unfinished upload" if entry.partial else None
        self.act("remove", [path], lambda: self.client.remove(path),
                 with_entry(self.area, path, left), [("file.remove", path, reason)])

    def touch(self):
        path = self.rng.choice(self.finished())
        mtime = self.rng.choice(PAST)
        self.act("touch", [path], lambda: self.client.set_mtime(path, mtime),
                 with_entry(self.area, path, self.area[path]._replace(mtime=mtime)),
                 [("file.times", path)])

    # --- looking ---------------------------------------------------------------------------------

    def read_back(self):
        files = self.published()
        if files:
            self.looking(self.compare, [self.rng.choice(files)])

    def list_all(self):
        def compare():
            why = misfit(self.area, self.look(self.client), self.look(self.eye))
            if why:
                self.wrong("in the middle: %s" % why)
            self.journal.count("listed")

        self.looking(compare)

    # --- the end -----------------------------------------------------------------------------------

    def finish(self):
        """Every partial is resumed or removed, and all that is there is read."""
        while True:
            try:
                if not self.connected:
                    self.settle()
                for path in self.entries(lambda e: e != DIR and e.partial):
                    self.finish_partial(path)
                self.looking(self.resolve)
                if self.entries(lambda e: e != DIR and e.partial):
                    continue
                self.looking(self.compare, self.files())
                return
            except Cut:
                self.connected = False

    def finish_partial(self, path):
        if self.area[path].partial == UNSURE:
            self.put(path)
        else:
            self.resume_at(path)
