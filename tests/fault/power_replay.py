# SPDX-License-Identifier: Apache-2.0
"""
Cuts the trace of a run of power_drive.py at many points, makes what power loss there could have
left, lets a keep recover, and checks every promise.

    power_replay.py WORK SEED CUTS SECONDS [GLOB]

CUTS points are tried, in SECONDS at most, each with several losses. GLOB: syncs of these paths
are lies; for the test of this test.
"""

import fnmatch
import json
import multiprocessing
import os
import pickle
import random
import shutil
import subprocess
import sys
import tempfile
import time

from power_model import SYNC, SYNC_DIR, Disk, Image, Loss, broken, read_trace

WORK, SEED, CUTS, SECONDS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
LIES = sys.argv[5] if len(sys.argv) > 5 else None
LOOK = os.environ["top_builddir"] + "/tests/fault/power-look"
PROCESSES = 2
TWICE = 8  # each so manieth directory is opened a second time


class Keep:
    """One keep for all directories, each of them at the same place."""

    def __init__(self, folder):
        self.state, self.process = folder + "/state", None
        self.config = folder + "/conf"
        with open(self.config, "w") as f:
            f.write(
                "[daemon]\nstate = %s\nruntime = %s/run\nlog_level = error\n[limits]\ndisk_reserve = 1M\n"
                % (self.state, folder)
            )

    def look(self):
        if self.process is None:
            self.process = subprocess.Popen(
                [LOOK, self.config], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        try:
            self.process.stdin.write("look\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())
        except (ValueError, OSError):
            return {"error": "it ended with status %d" % self.end()}

    def end(self):
        if self.process is None:
            return 0
        self.process.stdin.close()
        status, self.process = self.process.wait(), None
        return status


def choose():
    """Where to cut: before and after syncs, where what counts as done changes, and anywhere."""
    rng = random.Random(SEED)
    syncs = [i for i, r in enumerate(records) if r.op in (SYNC, SYNC_DIR)]
    near = [i + d for i in syncs for d in (-1, 0) if i + d >= 0]
    cuts = set(rng.sample(near, min(len(near), CUTS // 2)))
    cuts |= set(rng.sample(range(len(records)), min(len(records), CUTS - len(cuts))))
    jobs = []
    for n, cut in enumerate(sorted(cuts)):
        kinds = ["nothing", "mixed", Loss.KINDS[1 + n % 3]] + (["mixed again"] if CUTS > 500 else [])
        jobs += [(cut, kind) for kind in kinds]
    return jobs


def work(part):
    """One process's share of the jobs. In several rounds, each over the whole trace, so that
    running out of time leaves no part of it out."""
    folder = tempfile.mkdtemp(prefix="dk-power-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else WORK)
    keep, tried, twice, found, rounds = Keep(folder), 0, 0, [], 4
    image = Image(keep.state)
    try:
        for turn in range(rounds):
            disk, at = Disk(run["base"], lies), 0
            for cut, kind in jobs[turn * PROCESSES + part :: PROCESSES * rounds]:
                if time.time() > until or len(found) > (0 if LIES else 5):
                    break
                while at <= cut:
                    disk.apply(records[at])
                    at += 1
                image.make(disk, Loss(kind, random.Random("%d %d %s" % (SEED, cut, kind))))
                seen = keep.look()
                why = broken(seen, run, records[cut].end, disk.checkpoint)
                tried += 1
                if not why and tried % TWICE == 0:
                    twice += 1
                    if without_recovery(keep.look()) != without_recovery(seen):
                        why = ["opening it twice is not the same"]
                if why:
                    found.append((cut, kind, why))
    finally:
        keep.end()
        shutil.rmtree(folder)
    return tried, twice, found


def lies(record):
    return LIES is not None and fnmatch.fnmatchcase(record.path, LIES)


def without_recovery(seen):
    """Each start may record what it found."""
    records = [r for r in seen["records"] if r["event"] != "recovery"]
    return dict(seen, records=records)


def report(got):
    found = sorted(f for _, _, some in got for f in some)
    for cut, kind, why in found[:10]:
        r = records[cut]
        print("# after change %d (op %d of %s), what was not synced: %s" % (cut, r.op, r.path, kind))
        for line in why[:5]:
            print("#     " + line[:1000].replace("\n", " "))
    print(
        "# %d of %d states after power loss at %d points of a trace of %d changes; %d opened twice; %d bad; seed %d"
        % (
            sum(g[0] for g in got),
            len(jobs),
            len({c for c, _ in jobs}),
            len(records),
            sum(g[1] for g in got),
            len(found),
            SEED,
        )
    )
    return found


records = read_trace(WORK + "/bin/trace")
with open(WORK + "/run", "rb") as f:
    run = pickle.load(f)
until = time.time() + SECONDS
jobs = choose()
with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
    sys.exit(1 if report(pool.map(work, range(PROCESSES), 1)) else 0)
