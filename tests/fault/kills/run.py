# SPDX-License-Identifier: Apache-2.0
"""The driver of kills.sh. Prints "ok TEXT" or "not ok TEXT" for each test, without numbers.

	run.py --port N --work DIR --state DIR --daemon FILE --ctl FILE --conf FILE --log FILE
		--seed TEXT --kills N --seconds N [--long]

In DIR: NAME.key for the users alice, anna (clients), bob, vera (staff).
"""

import argparse
import base64
import random
import sys
import threading
import time

import paramiko

from client import Client, Cut, Refused
from content import Contents
from journal import Journal
from judge import Judge
from keep import Keep, Trouble
from killer import Killer
from rival import Prizes, Rival
from worker import Worker


class Place:
    """Where the server is, and how to know it."""

    def __init__(self, port, keys, state):
        self.port, self.keys = port, keys
        with open("%s/keys/ssh_host_ed25519_key.pub" % state) as f:
            self.host_key = paramiko.Ed25519Key(data=base64.b64decode(f.read().split()[1]))


class World:
    def __init__(self, options):
        self.seed, self.long = options.seed, options.long
        self.place = Place(options.port, options.work, options.state)
        self.journal = Journal(options.work + "/journal")
        self.contents = Contents()
        self.killed = 0

    def killing(self):
        self.killed += 1

    def kills(self):
        return self.killed


class Watcher(threading.Thread):
    """Staff who look at everything all the time: whatever can be fetched is whole."""

    def __init__(self, world):
        super().__init__(name="watcher", daemon=True)
        self.world, self.stopping = world, False
        self.rng = random.Random("%s/watcher" % world.seed)

    def run(self):
        while not self.stopping:
            client = Client(self.world.place, "vera")
            try:
                client.connect()
                while not self.stopping:
                    self.look(client)
            except Cut:
                time.sleep(0.2)
            finally:
                client.end()

    def look(self, client):
        try:
            found = client.walk("/acme/" + self.rng.choice(("incoming", "deliverables")))
            files = sorted(p for p, what in found.items() if what)
            for path in self.rng.sample(files, min(4, len(files))):
                self.fetch(client, path)
        except Refused as e:  # what was there a moment ago need not be there now
            if not e.missing:
                self.world.journal.note("watcher", "refused", str(e))
        time.sleep(0.1)

    def fetch(self, client, path):
        size, sha = client.fetch(path)
        self.world.journal.count("watched")
        if not self.world.contents.is_whole(sha):
            self.world.journal.wrong("watcher", "%s has %d bytes %s, which nobody sent so" % (path, size, sha))


def say(what, good, why=""):
    print("%s %s" % ("ok" if good else "not ok", what), flush=True)
    if not good:
        for line in str(why).splitlines():
            print("    " + line, flush=True)


def arguments():
    p = argparse.ArgumentParser()
    for name in ("work", "state", "daemon", "ctl", "conf", "log", "seed"):
        p.add_argument("--" + name, required=True)
    for name in ("port", "kills", "seconds"):
        p.add_argument("--" + name, type=int, required=True)
    p.add_argument("--long", action="store_true")
    return p.parse_args()


def join(threads, seconds):
    end = time.monotonic() + seconds
    for t in threads:
        t.join(max(0, end - time.monotonic()))
    return [t.name for t in threads if t.is_alive()]


def work(world, keep, options):
    """The kills, and all the users who go on in spite of them."""
    clients, staff = "/acme/incoming", "/acme/deliverables"
    users = [("alice", clients), ("anna", clients), ("bob", staff), ("alice", clients), ("anna", clients)]
    all_of_them = [Worker(world, n, user, top, "vera") for n, (user, top) in enumerate(users)]
    prizes = Prizes(world)
    all_of_them += [Rival(world, n, user, prizes) for n, user in enumerate(("alice", "alice", "anna"))]
    all_of_them.append(Watcher(world))
    for t in all_of_them:
        t.start()
    Killer(world, keep).run(options.kills, options.seconds)
    for t in all_of_them:
        t.stopping = True
    late = join(all_of_them, 180)
    say("all come to an end", not late, ", ".join(late))


def main():
    sys.setswitchinterval(0.0005)  # so that a kill comes when it is due
    options = arguments()
    world = World(options)
    keep = Keep(options.daemon, options.ctl, options.conf, options.log)
    judge = Judge(world, keep, options.state, say)
    keep.start()
    try:
        keep.wait()
        work(world, keep, options)
        problems = world.journal.problems
        say("%d kills were survived" % world.killed, world.killed >= options.kills, options.kills)
        say("what was acknowledged is there, what was not is there wholly or not at all", not problems,
            "\n".join(problems[:20]))
        judge.all(problems)
    except Trouble as e:
        say("the keep serves", False, e)
    status = keep.stop()
    say("it stops cleanly", status == 0, status)
    if not world.journal.problems:
        judge.disk()
    counts = ", ".join("%s %d" % c for c in sorted(world.journal.counts.items()))
    print("# %d kills; %s; slowest start %.1f s" % (world.killed, counts, keep.slowest), flush=True)


main()
