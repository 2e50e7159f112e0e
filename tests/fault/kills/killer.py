# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at random moments, many of them those in which something is just being decided."""

import os
import random
import signal
import time

from client import Client, Cut

STAGES = (("close",), ("close",), ("rename", "folder.make", "folder.remove", "remove", "touch"), ("open",),
          ("write",), ("fsync",))
# What dies, and how often among the kills. A gate that dies often is restarted later and later,
# so that the keep has to die, too, for all to go on.
WAYS = (("gate", 5), ("gates", 2), ("keep", 6), ("both", 4), ("keep twice", 2), ("early", 2))
GATES_IN_A_ROW = 4


class Killer:
    def __init__(self, world, keep):
        self.world, self.keep = world, keep
        self.journal = world.journal
        self.rng = random.Random("%s/killer" % world.seed)
        self.in_a_row = 0

    def acts(self):
        return self.journal.counts["acknowledged"]

    def run(self, wanted, seconds):
        end = time.monotonic() + seconds
        stop_at = wanted // 2
        while self.world.killed < wanted and time.monotonic() < end and not self.journal.problems:
            self.strike(self.choose())
            if self.world.killed >= stop_at:
                stop_at = wanted + 1
                self.stop_and_go()
        self.keep.wait()

    def await_moment(self, blow):
        """A quarter follow at once; the others leave time for some work, and then hit a moment."""
        r = self.rng
        if r.random() < 0.25:
            time.sleep(r.random() * 0.1)
            return blow()
        enough, end = self.acts() + r.randrange(5, 60 if self.world.long else 30), time.monotonic() + 5
        while self.acts() < enough and time.monotonic() < end:
            time.sleep(0.005)
        if r.random() < 0.5 and self.journal.wait_for(("answered",), 1, blow):
            return None
        if r.random() < 0.3:
            time.sleep(r.random() * 0.4)
        else:
            self.journal.wait_for(r.choice(STAGES), 1)
            time.sleep(r.random() ** 2 * 0.012)
        return blow()

    def choose(self):
        way = self.rng.choices([w for w, _ in WAYS], [n for _, n in WAYS])[0]
        self.in_a_row = self.in_a_row + 1 if way.startswith("gate") else 0
        if self.in_a_row > GATES_IN_A_ROW:
            self.in_a_row, way = 0, "keep"
        return way

    def strike(self, way):
        gates_first = self.rng.random() < 0.5
        self.await_moment(lambda: self.blow(way, gates_first))
        if way in ("gate", "gates"):
            return
        self.keep.reap()
        self.keep.start()
        if way in ("keep twice", "early"):
            self.once_more(0.5 if way == "keep twice" else 0.06)
        self.keep.wait()

    def blow(self, way, gates_first):
        self.world.killing()
        gates = self.keep.gates() if way in ("gate", "gates", "both") else []
        self.rng.shuffle(gates)
        if way == "gate":
            gates = gates[:1]
        if way in ("gate", "gates") or gates_first:
            self.keep.kill_gates(gates)
        if way not in ("gate", "gates"):
            self.keep.kill()
        if way == "both":
            self.keep.kill_gates(gates)
        self.journal.note("killer", way)
        self.journal.count("killed: " + way)

    def once_more(self, seconds):
        """During its start, or while its clients come back."""
        time.sleep(self.rng.random() * seconds)
        self.world.killing()
        self.keep.kill()
        self.keep.reap()
        self.keep.start()

    # --- a gate that stands still -----------------------------------------------------------

    def stop_and_go(self):
        """One gate is stopped for ten seconds. The others serve, also who comes only then."""
        self.keep.wait()
        time.sleep(2)
        gates, victim = self.keep.gates(), self.least_busy()
        self.journal.note("killer", "stop", victim)
        os.kill(victim, signal.SIGSTOP)
        try:
            before = self.acts()
            newcomers = sum(self.newcomer() for _ in range(6))
            time.sleep(max(0, 10 - newcomers * 0.1))
            served = self.acts() - before
        finally:
            os.kill(victim, signal.SIGCONT)
        self.journal.counts["served while a gate stood still"] = served
        if served < 10:
            self.journal.wrong("killer", "only %d acts while a gate of %d stood still" % (served, len(gates)))
        if newcomers < 6:
            self.journal.wrong("killer", "only %d of 6 newcomers were served by the others" % newcomers)
        time.sleep(0.5)
        if victim not in self.keep.gates():
            self.journal.wrong("killer", "a gate that stood still for ten seconds was ended")

    def least_busy(self):
        """A gate that serves somebody, if there is one that does not serve them all: whoever comes
        at the same moment may well come to the same gate."""
        shares = {g["pid"]: g["sessions"] for g in self.keep.ctl("status")[0]["gates"] if g["pid"]}
        busy = {pid: n for pid, n in shares.items() if n and n < sum(shares.values())}
        self.journal.note("killer", "sessions", shares)
        return min(busy or shares, key=lambda pid: shares[pid])

    def newcomer(self):
        client = Client(self.world.place, "vera")
        try:
            client.connect()
            client.stat("/acme")
            return 1
        except Cut as e:
            self.journal.note("killer", "newcomer", e)
            return 0
        finally:
            client.end()
