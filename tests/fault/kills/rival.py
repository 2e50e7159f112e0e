# SPDX-License-Identifier: Apache-2.0
"""Users who contend for the same few names: uploads change hands all the time.

Each name has one content, whoever sends it and wherever he goes on from, so that whatever is
published there has that hash. What a rival may be told is that somebody else was faster.
"""

import random
import threading
import time

from client import CREAT, TRUNC, WRITE, Client, Cut, Hung, Refused
from worker import CHUNK, KIB

TOP = "/acme/incoming/rival"
NAMES = 3
FASTER = ("taken this upload over", "taken over or removed", "name is taken", "upload was removed", "no such file",
          "handle")


class Prizes:
    """The names, and what belongs there."""

    def __init__(self, world):
        rng = random.Random("%s/prizes" % world.seed)
        sizes = (3 * CHUNK, rng.randrange(KIB, 40 * KIB), rng.randrange(300 * KIB, 2000 * KIB))
        self.content = {"%s%d" % (TOP, n): world.contents.make(rng, sizes[n]) for n in range(NAMES)}


class Rival(threading.Thread):
    def __init__(self, world, number, user, prizes):
        super().__init__(name="%s.r%d" % (user, number), daemon=True)
        self.world, self.journal, self.user, self.prizes = world, world.journal, user, prizes
        self.rng = random.Random("%s/rival%d" % (world.seed, number))
        self.client = Client(world.place, user)
        self.stopping = False
        self.connected = False

    def run(self):
        try:
            while not self.stopping:
                act = self.rng.choices((self.send, self.remove), (7, 1))[0]
                self.turn(act, self.rng.choice(list(self.prizes.content)))
            for path in self.prizes.content:
                while not self.turn(self.finish, path):
                    pass
        except Hung as e:
            self.journal.wrong(self.name, str(e))
        except Exception as e:  # of this program, not of the one that it tests
            self.journal.wrong(self.name, repr(e))
            raise
        finally:
            self.client.end()

    def turn(self, act, path):
        """Whether it came to its end."""
        try:
            if not self.connected:
                self.client.connect()
                self.connected = True
            act(path)
            return True
        except Cut:
            self.client.end()
            self.connected = False
            time.sleep(0.05)
            return False

    def attempt(self, event, path, do):
        """do(): True as soon as it may have been carried out."""
        kills, self.may_be = self.world.kills(), False
        self.journal.note(self.name, "begin", event, path)
        self.journal.count("of rivals")
        try:
            do()
        except Cut:
            self.journal.note(self.name, "cut", event, path, self.may_be)
            self.journal.allow((event, self.user, path), self.may_be)
            raise
        except Refused as e:
            self.journal.note(self.name, "refused", event, path, str(e))
            self.journal.count("of rivals, refused")
            if self.world.kills() != kills:
                self.journal.allow((event, self.user, path), self.may_be)
            elif not any(words in str(e) for words in FASTER):
                self.journal.wrong(self.name, "%s %s was refused: %s" % (event, path, e))
            return
        self.journal.note(self.name, "ok", event, path)
        self.journal.demand((event, self.user, path))

    def send(self, path):
        self.attempt("upload.complete", path, lambda: self.upload(path))

    def upload(self, path):
        r, content = self.rng, self.prizes.content[path]
        truncate = TRUNC if r.random() < 0.3 else 0
        handle = self.client.open(path, WRITE | CREAT | truncate)
        at = self.client.handle_size(handle)
        if at > content.size:
            self.journal.wrong(self.name, "%s has %d bytes, its content %d" % (path, at, content.size))
        data = content.bytes()
        while at < content.size:
            step = r.choice((20000, CHUNK, 3 * CHUNK, content.size))
            self.client.write(handle, at, data[at : at + step])
            at += step
            if r.random() < 0.1:
                time.sleep(r.random() * 0.5)
            if r.random() < 0.05:
                (self.client.reset if r.random() < 0.5 else self.client.end)()
        content.closing = self.may_be = True
        self.client.close(handle)

    def remove(self, path):
        def do():
            self.may_be = True
            self.client.remove(path)

        self.attempt("file.remove", path, do)

    def finish(self, path):
        """No upload stays unfinished. It may be the other one's, who is about to finish it, too."""
        if self.client.kind(path) == "partial":
            self.send(path)
