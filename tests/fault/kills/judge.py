# SPDX-License-Identifier: Apache-2.0
"""What must hold when all is over: the log, the accounts, and what is left on the disk."""

import collections
import os
import sqlite3
import time

from client import Client
from keep import Trouble
from rival import TOP

EVENTS = ("upload.complete", "rename", "file.replace", "file.remove", "file.times", "folder.make", "folder.remove")


def key_of(record):
    """A record in the words in which the workers say what they expect."""
    event, key = record["event"], (record["event"], record.get("actor"), record.get("path"))
    if event == "upload.complete":
        return key + (record.get("size", 0), record.get("sha256"))
    if event == "rename":
        return key + (record.get("to"),)
    if event == "file.remove":
        return key + (record.get("reason"),)
    return key


def replay(records):
    """The folders and files that the log says are there: None, or (size, hash)."""
    found = {}
    for r in records:
        event, path = r["event"], r.get("path")
        if event == "folder.make":
            found[path] = None
        elif event == "upload.complete":
            found[path] = (r.get("size", 0), r["sha256"])
        elif event == "folder.remove" or event == "file.remove" and not r.get("reason"):
            del found[path]
        elif event == "file.replace":
            found.pop(path, None)  # it may have been an unfinished upload
        elif event == "rename":
            for old in [p for p in found if p == path or p.startswith(path + "/")]:
                found[r["to"] + old[len(path) :]] = found.pop(old)
    return found


class Judge:
    def __init__(self, world, keep, state, say):
        self.world, self.keep, self.state, self.say = world, keep, state, say

    def all(self, problems):
        self.log()
        self.check()
        eye = Client(self.world.place, "vera")
        eye.connect()
        self.seen(eye)
        eye.end()
        if not problems:  # else some uploads were left as they are
            self.zone()
            self.swept()

    def differences(self, got, wanted, limit=10):
        """A few of them as text, none as an empty one."""
        lines = ["%d record(s) too many: %r" % (n, k) for k, n in (got - wanted).items()]
        lines += ["%d record(s) missing: %r" % (n, k) for k, n in (wanted - got).items()]
        return "\n".join(sorted(lines)[:limit])

    def log(self):
        records = self.keep.ctl("audit", "query")
        journal = self.world.journal
        journal.counts["records"] = len(records)
        seqs = [r["seq"] for r in records]
        self.say("the log's numbers have no gap", seqs == list(range(len(seqs))))
        changes = [r for r in records if r["event"] in EVENTS and r["outcome"] == "ok"]
        got = collections.Counter(key_of(r) for r in changes if not r["path"].startswith(TOP))
        wrong = self.differences(got, journal.expected)
        self.say("each of %d changes has exactly one record, and no other has one" %
                 sum(journal.expected.values()), not wrong, wrong)
        got = collections.Counter(key_of(r)[:3] for r in changes if r["path"].startswith(TOP))
        wrong = self.differences(got, journal.at_most & got) + self.differences(journal.at_least & got, journal.at_least)
        self.say("so it is where %d uploads and removals were contended for" % sum(got.values()), not wrong, wrong)
        verified = self.keep.ctl("audit", "verify")[0]
        self.say("the log verifies", not verified.get("problems"), verified)
        self.told = replay(changes)

    def seen(self, client):
        """What staff see is what the log tells."""
        got = {}
        for top in ("/acme/incoming", "/acme/deliverables"):
            for path, what in client.walk(top).items():
                got[path] = what and client.fetch(path)
        wrong = ["%s: %r, not %r" % (p, got.get(p, "nothing"), self.told.get(p, "nothing"))
                 for p in sorted(set(got) | set(self.told)) if got.get(p, 0) != self.told.get(p, 0)]
        self.say("all that happened, as the log tells it, leads to the %d files and folders that are there" % len(got),
                 not wrong, "\n".join(wrong[:10]))

    def check(self):
        try:
            found = self.keep.ctl("check", "--deep")
            self.say("a deep check finds nothing", found[-1].get("problems") == 0, found)
        except Trouble as e:
            self.say("a deep check finds nothing", False, e)

    def zone(self):
        files = [what for what in self.told.values() if what]
        wanted = {"used": sum(size for size, _ in files), "reserved": 0, "files": len(files)}
        row = self.keep.ctl("zone", "show", "acme")[0]
        got = {k: row[k] for k in wanted}
        self.say("the zone's account is right", got == wanted, "%r, not %r" % (got, wanted))

    def swept(self, seconds=10):
        """No blob waits to be unlinked: the doomed go soon after what doomed them."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            catalog = self.catalog()
            waiting = list(catalog.execute("SELECT blob FROM doomed"))
            catalog.close()
            if not waiting:
                return
            time.sleep(0.2)

    def catalog(self):
        return sqlite3.connect("file:%s/catalog.db?mode=ro" % self.state, uri=True)

    def blobs(self):
        return {name for _, _, names in os.walk(os.path.join(self.state, "blobs")) for name in names}

    def disk(self):
        """The keep has been stopped."""
        catalog = self.catalog()
        rows = lambda sql: {row[0].hex() for row in catalog.execute(sql)}
        named = rows("SELECT blob FROM versions WHERE tiny = 0")
        tiny = rows("SELECT blob FROM versions WHERE tiny = 1")
        inside = rows("SELECT blob FROM tiny")
        self.say("no blob stays that is to go", not rows("SELECT blob FROM doomed"))
        self.say("no upload is left", not rows("SELECT blob FROM uploads"))
        self.say("no record waits for the log", not list(catalog.execute("SELECT seq FROM outbox")))
        catalog.close()
        extra = self.blobs() ^ named
        self.say("blobs and catalog name the same", not extra, sorted(extra)[:5])
        self.say("the catalog holds the rest", inside == tiny, sorted(inside ^ tiny)[:5])
        for folder in ("uploads", "lost+found"):
            left = os.listdir(os.path.join(self.state, folder))
            self.say("nothing is left in %s" % folder, not left, left[:5])
