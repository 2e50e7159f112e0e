# SPDX-License-Identifier: Apache-2.0
"""What was begun, what was answered, and what was found wrong; shared by all threads."""

import collections
import json
import threading
import time


class Journal:
    def __init__(self, path):
        self.out = open(path, "w", buffering=1)
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.problems = []
        self.expected = collections.Counter()  # records that the log must have
        self.at_least, self.at_most = collections.Counter(), collections.Counter()  # of rivals
        self.began = time.monotonic()
        self.rung = threading.Condition()
        self.bell, self.armed, self.trap = None, (), None

    def note(self, who, word, *details):
        line = [round(time.monotonic() - self.began, 4), who, word] + [repr(d) for d in details]
        with self.lock:
            self.out.write(json.dumps(line) + "\n")

    def count(self, what, n=1):
        with self.lock:
            self.counts[what] += n

    def wrong(self, who, what):
        self.note(who, "WRONG", what)
        with self.lock:
            self.problems.append("%s: %s" % (who, what))

    def expect(self, records):
        with self.lock:
            self.expected.update(records)

    def allow(self, record, times=1):
        with self.lock:
            self.at_most[record] += times

    def demand(self, record):
        with self.lock:
            self.at_least[record] += 1
            self.at_most[record] += 1

    # --- the bell that tells the killer of a moment -----------------------------------------

    def ring(self, stage):
        with self.rung:
            if stage not in self.armed:
                return
            self.bell, self.armed = stage, ()
            if self.trap:
                self.trap()
            self.rung.notify_all()

    def wait_for(self, stages, seconds, trap=None):
        """Whether a worker came to one of the stages; trap() is called there and then, by it."""
        end = time.monotonic() + seconds
        with self.rung:
            self.bell, self.armed, self.trap = None, stages, trap
            while not self.bell:
                left = end - time.monotonic()
                if left <= 0:
                    break
                self.rung.wait(left)
            self.armed, self.trap = (), None
            return self.bell is not None
