# SPDX-License-Identifier: Apache-2.0
"""
The workload of power.sh: clients side by side, each in a folder of its own, with a daemon that
is stopped and killed on the way. What they did goes to WORK/run, for power_replay.py.

    power_drive.py WORK PORT SEED ACTS
"""

import copy
import json
import os
import pickle
import random
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time

import paramiko
from paramiko.sftp import CMD_EXTENDED, SFTPError

from power_client import CREATE, TRUNCATE, WRITE, Client
from power_model import Partial, State, read_directory, sha

WORK, PORT, SEED, ACTS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
LAB, STATE, CONF = WORK + "/bin", WORK + "/state", WORK + "/dropkeepd.conf"
BUILD = os.environ["top_builddir"]
SIZES = (0, 1, 100, 3000, 65535, 65536, 65537, 131072, 200000, 400000)
PIECE = 30000

contents = {}
journal = {}
failures = []


def trace_size():
    return os.stat(LAB + "/trace").st_size


# --- the daemon ---------------------------------------------------------------------------


class Daemon:
    def __init__(self):
        self.epoch, self.down, self.dead = 0, False, False
        self.changed = threading.Condition()
        self.generation = 1000
        self.process = None
        self.seen = {}

    def start(self):
        log = open(WORK + "/keep.log", "ab")
        self.process = subprocess.Popen([LAB + "/dropkeepd", "-c", CONF], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        subprocess.run([BUILD + "/dropkeepctl", "-c", CONF, "status", "--wait", "30"], check=True, stdout=subprocess.DEVNULL)
        with self.changed:
            self.epoch += 1
            self.down = self.dead = False
            self.changed.notify_all()

    def plan(self, rule):
        """As fault_plan of lab.sh."""
        self.generation += 1
        with open(LAB + "/shared", "r+b") as f:
            f.write(bytes(512) + rule.encode().ljust(3576, b"\0"))
            f.flush()
            f.write(b"%08d" % self.generation)

    def fired(self):
        with open(LAB + "/shared", "rb") as f:
            f.seek(256)
            return struct.unpack("=Q", f.read(8))[0]

    def end(self, how, rng):
        """stop: in order; kill: at some change of the state; gate: a gate dies first."""
        with self.changed:
            self.down = True
        if how == "kill":
            self.plan("keep any * %d %s once\n" % (rng.randint(1, 150), rng.choice(("crash", "crash-after", "crash-torn"))))
            time.sleep(1.5)
        elif how == "gate":
            self.plan("gate any blobs/* %d crash once\n" % rng.randint(1, 20))
            end = time.time() + 2
            while not self.fired() and time.time() < end:
                time.sleep(0.02)
            time.sleep(rng.random() / 2)
        if how != "kill":
            self.process.send_signal(signal.SIGTERM)
        elif self.process.poll() is None:
            self.plan("keep any * 1 crash once\n")
        self.process.wait(60)
        self.plan("")
        with self.changed:
            self.dead = True  # no act begins from here on
        time.sleep(0.3)  # its gates follow it

    def look(self):
        """What a keep would find now, on a copy."""
        scratch = WORK + "/copy"
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(STATE, scratch, ignore=shutil.ignore_patterns("run", "*-shm"))
        with open(WORK + "/copy.conf", "w") as f:
            f.write("[daemon]\nstate = %s\nruntime = %s/copyrun\nlog_level = error\n[limits]\ndisk_reserve = 1M\n" % (scratch, WORK))
        out = subprocess.run([BUILD + "/tests/fault/power-look", WORK + "/copy.conf"], input="look\n", check=True, text=True, stdout=subprocess.PIPE).stdout
        return json.loads(out)


daemon = Daemon()


# --- clients ------------------------------------------------------------------------------


class Act:
    """Notes where the trace was before an act began, and where when it was acknowledged."""

    def __init__(self, worker, act, **more):
        self.worker, self.entry = worker, dict(more, act=act, acked=None)

    def __enter__(self):
        with daemon.changed:
            if daemon.dead or daemon.epoch != self.worker.epoch:
                raise IOError("the daemon is gone")
            self.entry["begin"] = trace_size()
            self.worker.entries.append(self.entry)

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.entry["acked"] = trace_size()
            self.worker.state.apply(self.entry)


class Worker(threading.Thread):
    def __init__(self, number, user, root):
        super().__init__(daemon=True)
        self.user, self.root = user, "%s/w%d" % (root, number)
        self.rng = random.Random("%d %d" % (SEED, number))
        self.state, self.entries, self.client, self.epoch = State(), [], None, 0
        self.tried = {}
        self.acts = self.made = 0
        journal[self.root] = self.entries

    def run(self):
        while self.acts < ACTS and not failures:
            try:
                self.connect()
                self.step()
                self.acts += 1
            except (IOError, EOFError, SFTPError, paramiko.SSHException, AssertionError) as e:
                self.client = None
                if not self.wait():
                    failures.append("%s: %r" % (self.root, e))

    def wait(self):
        """After an error: until the daemon is there again. False where it never went."""
        time.sleep(0.1)
        with daemon.changed:
            if not daemon.down and daemon.epoch == self.epoch:
                return False
            daemon.changed.wait_for(lambda: not daemon.down, 120)
        return True

    def connect(self):
        with daemon.changed:
            epoch = daemon.epoch
        if epoch != self.epoch:
            self.client = None
            if self.epoch:
                self.state = copy.deepcopy(daemon.seen[epoch][self.root])
            self.epoch = epoch
        if not self.client:
            self.client = Client(WORK, PORT, self.user)
        if not self.made:
            with Act(self, "mkdir", path=self.root):
                self.client.sftp.mkdir(self.root)
            self.made = 1

    def take(self, seen, trace):
        """The daemon is down: what is there counts from here on."""
        s = State()
        below = self.root + "/"
        s.folders = {p for p in seen["folders"] if p.startswith(below) or p == self.root}
        self.made = self.root in s.folders
        s.files = {p: (f["size"], f["sha256"], f["mtime"]) for p, f in seen["files"].items() if p.startswith(below)}
        for path, u in seen["uploads"].items():
            if not path.startswith(below):
                continue
            for cid in reversed(self.tried.get(path, [])):
                if sha(contents[cid][: u["prefix"]]) == u["sha256"] and u["durable"] <= len(contents[cid]):
                    s.partial[path] = Partial(cid, u["durable"], told=u["prefix"])
                    break
            else:
                failures.append("after a crash %s is not what was sent" % path)
        self.entries.append({"act": "saw", "begin": trace, "acked": trace, "state": s})
        return s

    # --- what clients do ---

    def step(self):
        finished = sorted(set(self.state.files) - set(self.state.partial))
        partial = sorted(self.state.partial)
        luck = self.rng.random()
        if partial and luck < 0.5:
            return self.resume(self.rng.choice(partial))
        luck = self.rng.random()
        if len(finished) < 2 or luck < 0.35:
            return self.put(self.name(), self.rng.random() < 0.3)
        if luck < 0.45:
            return self.put(self.rng.choice(finished), self.rng.random() < 0.3)
        if luck < 0.55:
            return self.extend(self.rng.choice(finished))
        return self.rearrange(luck, finished)

    def rearrange(self, luck, finished):
        sftp, path, other = self.client.sftp, self.rng.choice(finished), self.rng.choice(finished)
        if luck < 0.65:
            to = self.name()
            with Act(self, "rename", path=path, to=to):
                sftp.rename(path, to)
        elif luck < 0.75 and other != path:
            with Act(self, "rename", path=path, to=other):
                sftp.posix_rename(path, other)
        elif luck < 0.85:
            with Act(self, "remove", path=path):
                sftp.remove(path)
        elif luck < 0.92:
            when = self.rng.randint(10**9, 15 * 10**8)
            with Act(self, "mtime", path=path, mtime=when):
                sftp.utime(path, (when, when))
        else:
            folder = self.name()
            with Act(self, "mkdir", path=folder):
                sftp.mkdir(folder)
            if self.rng.random() < 0.5:
                with Act(self, "rmdir", path=folder):
                    sftp.rmdir(folder)

    def name(self):
        while True:
            path = "%s/n%d" % (self.root, self.rng.randint(0, 99))
            if path not in self.state.files and path not in self.state.partial and path not in self.state.folders:
                return path

    def new_content(self, path, base=b""):
        cid = "%s %d" % (self.root, len(contents))
        contents[cid] = base + self.rng.randbytes(self.rng.choice(SIZES))
        self.tried.setdefault(path, []).append(cid)
        return cid

    def put(self, path, cut):
        cid = self.new_content(path)
        with Act(self, "open", path=path, cid=cid, base=0):
            f = self.client.open(path, WRITE | CREATE | TRUNCATE)
        self.send(f, path, cid, 0, cut, fresh=True)

    def extend(self, path):
        """A finished file is opened without TRUNC: the old content is the new one's beginning."""
        old = next((c for c in self.tried_anywhere() if sha(contents[c]) == self.state.files[path][1]), None)
        if old is None:
            return
        cid = self.new_content(path, contents[old])
        base = len(contents[old])
        with Act(self, "open", path=path, cid=cid, base=base):
            f = self.client.open(path, WRITE | CREATE)
        self.send(f, path, cid, base, self.rng.random() < 0.2)

    def tried_anywhere(self):
        return [c for c in contents if c.startswith(self.root + " ")]

    def resume(self, path):
        p = self.state.partial[path]
        if path in self.state.files or self.rng.random() < 0.1:
            return self.put(path, self.rng.random() < 0.2)
        f = self.client.open(path, WRITE | CREATE)
        offset = f.stat().st_size
        assert p.told <= offset <= p.sent, "%s: %d after %d, sent %d" % (path, offset, p.told, p.sent)
        with Act(self, "told", path=path, upto=offset):
            pass
        self.send(f, path, p.cid, offset, self.rng.random() < 0.2)

    def send(self, f, path, cid, offset, cut, fresh=False):
        content = contents[cid]
        end = self.rng.randint(offset, len(content)) if cut else len(content)
        f.seek(offset)
        while offset < end:
            upto = min(offset + PIECE, end)
            with Act(self, "sent", path=path, upto=upto):
                pass
            f.write(content[offset:upto])
            offset = upto
            if self.rng.random() < 0.1:
                # What has to be brought over from another blob first is not promised.
                with Act(self, "sync", path=path, upto=offset if fresh else 0):
                    self.client.sftp._request(CMD_EXTENDED, "fsync@openssh.com", f.handle)
        if cut:
            self.client.reset()
            self.client = None
            if self.rng.random() < 0.5:
                time.sleep(0.2)
            return
        with Act(self, "close", path=path, size=len(content), sha=sha(content)):
            f.close()


# --- the run ------------------------------------------------------------------------------


def disturb(how, rng, workers):
    daemon.end(how, rng)
    trace = trace_size()
    seen = daemon.look()
    if "error" in seen:
        failures.append("after %s: %s" % (how, seen["error"]))
        return
    daemon.seen[daemon.epoch + 1] = {w.root: w.take(seen, trace) for w in workers}
    daemon.start()


def main():
    rng = random.Random(SEED)
    base = read_directory(STATE)
    open(LAB + "/trace", "wb").close()
    daemon.start()
    workers = [Worker(i, "bob" if i == 3 else "alice", "/acme/" + ("deliverables" if i == 3 else "incoming")) for i in range(4)]
    for w in workers:
        w.start()
    plan = ["kill", "stop", "gate", "kill"]
    ends = [ACTS * len(workers) * (i + 1) // (len(plan) + 1) for i in range(len(plan))]
    while any(w.is_alive() for w in workers) and not failures:
        if ends and sum(w.acts for w in workers) >= ends[0]:
            ends.pop(0)
            disturb(plan.pop(0), rng, workers)
        time.sleep(0.02)
    for w in workers:
        w.join(60)
    daemon.process.send_signal(signal.SIGTERM)
    status = daemon.process.wait(60)
    for why in failures:
        print("not ok " + why)
    if failures or status:
        sys.exit("the daemon ended with status %d" % status)
    lines = [r["line"] for r in daemon.look()["records"]]
    with open(WORK + "/run", "wb") as f:
        pickle.dump({"base": base, "journal": journal, "contents": contents, "lines": lines}, f)
    print("# %d acts of %d clients, %d bytes of trace, %d records, seed %d" % (sum(w.acts for w in workers), len(workers), trace_size(), len(lines), SEED))


main()
