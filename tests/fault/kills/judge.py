# SPDX-License-Identifier: Apache-2.0
"""What must hold when all is over: the log, the accounts, and what is left on the disk."""

import collections
import os
import sqlite3
import time

from keep import Trouble
from model import DIR

EVENTS = ("upload.complete", "rename", "file.replace", "file.remove", "file.times", "folder.make", "folder.remove")


def key_of(record):
    """A record in the words in which the workers say what they expect."""
    event, key = record["event"], (record["event"], record.get("actor"), record.get("path"))
    if event == "upload.complete":
        return key + (record.get("size"), record.get("sha256"))
    if event == "rename":
        return key + (record.get("to"),)
    if event == "file.remove":
        return key + (record.get("reason"),)
    return key


class Judge:
    def __init__(self, world, keep, state, say):
        self.world, self.keep, self.state, self.say = world, keep, state, say

    def differences(self, got, wanted, limit=10):
        """A few of them as text, none as an empty one."""
        lines = ["%d record(s) too many: %r" % (n, k) for k, n in (got - wanted).items()]
        lines += ["%d record(s) missing: %r" % (n, k) for k, n in (wanted - got).items()]
        return "\n".join(sorted(lines)[:limit])

    def log(self):
        records = self.keep.ctl("audit", "query")
        seqs = [r["seq"] for r in records]
        self.say("the log's numbers have no gap", seqs == list(range(len(seqs))))
        got = collections.Counter(key_of(r) for r in records
                                  if r["event"] in EVENTS and r["outcome"] == "ok"
                                  and r.get("actor", "").split(":")[0] != "operator")
        wrong = self.differences(got, self.world.journal.expected)
        self.say("each of %d changes has exactly one record, and no other has one" %
                 sum(self.world.journal.expected.values()), not wrong, wrong)
        self.world.journal.counts["records"] = len(records)
        verified = self.keep.ctl("audit", "verify")[0]
        self.say("the log verifies", not verified.get("problems"), verified)

    def check(self):
        try:
            found = self.keep.ctl("check", "--deep")
            self.say("a deep check finds nothing", found[-1].get("problems") == 0, found)
        except Trouble as e:
            self.say("a deep check finds nothing", False, e)

    def zone(self, areas):
        files = [e.version for a in areas for e in a.values() if e != DIR]
        wanted = {"used": sum(v.size for v in files), "reserved": 0, "files": len(files)}
        row = self.keep.ctl("zone", "show", "acme")[0]
        got = {k: row[k] for k in wanted}
        self.say("the zone's account is right", got == wanted, "%r, not %r" % (got, wanted))

    def swept(self, seconds=10):
        """No blob waits to be unlinked: the doomed go soon after what doomed them."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if len(self.blobs()) == self.keep.ctl("zone", "show", "acme")[0]["files"]:
                return
            time.sleep(0.2)

    def blobs(self):
        return {name for _, _, names in os.walk(os.path.join(self.state, "blobs")) for name in names}

    def disk(self):
        """The keep has been stopped."""
        catalog = sqlite3.connect("file:%s/catalog.db?mode=ro" % self.state, uri=True)
        rows = lambda sql: {row[0].hex() for row in catalog.execute(sql)}
        named = rows("SELECT blob FROM versions")
        self.say("no blob stays that is to go", not rows("SELECT blob FROM doomed"))
        self.say("no upload is left", not rows("SELECT blob FROM uploads"))
        self.say("no record waits for the log", not list(catalog.execute("SELECT seq FROM outbox")))
        catalog.close()
        extra = self.blobs() ^ named
        self.say("blobs and catalog name the same", not extra, sorted(extra)[:5])
        for folder in ("uploads", "lost+found"):
            left = os.listdir(os.path.join(self.state, folder))
            self.say("nothing is left in %s" % folder, not left, left[:5])
