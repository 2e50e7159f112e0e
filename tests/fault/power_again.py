# SPDX-License-Identifier: Apache-2.0
"""
Real daemons on what power loss has left: unfinished uploads are gone on with, with other bytes
than the first time, files come and go, and what was sealed before the loss is sealed no second
time.

    power_again.py WORK PORT SEED COUNT
"""

import os
import pickle
import random
import shutil
import signal
import subprocess
import sys

from power_client import CREATE, TRUNCATE, WRITE, Client
from power_model import RENAME, SEAL, Disk, Image, Loss, possible, read_trace, sha

WORK, PORT, SEED, COUNT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
BUILD = os.environ["top_builddir"]
AGAIN = WORK + "/again"
rng = random.Random(SEED)
failures = []


def set_up():
    """A place of its own, with the lab's programs and the configuration that WORK has."""
    os.makedirs(AGAIN + "/bin")
    for name in ("dropkeepd", "dropkeep-gate"):
        shutil.copy("%s/bin/%s" % (WORK, name), AGAIN + "/bin")
    open(AGAIN + "/bin/config.status", "w").close()
    text = open(WORK + "/dropkeepd.conf").read()
    with open(AGAIN + "/conf", "w") as f:
        f.write(text.replace(WORK + "/state", AGAIN + "/state"))


def start():
    log = open(AGAIN + "/log", "ab")
    process = subprocess.Popen(
        [AGAIN + "/bin/dropkeepd", "-c", AGAIN + "/conf"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )
    wait = [BUILD + "/dropkeepctl", "-c", AGAIN + "/conf", "status", "--wait", "30"]
    subprocess.run(wait, check=True, stdout=subprocess.DEVNULL)
    return process


def send(client, path, flags, content, sent):
    """From where the server says that it stands; with other bytes than the first time."""
    f = client.open(path, flags)
    offset = f.stat().st_size
    if offset > sent:
        failures.append("%s: told %d of %d bytes that were sent" % (path, offset, sent))
    whole = content[:offset] + rng.randbytes(rng.randint(1, 200000))
    f.seek(offset)
    f.write(whole[offset:])
    f.close()
    return whole


def same_upload(state, path, p):
    """Not one that was about to be begun anew, with other bytes."""
    return path in state.partial and state.partial[path].cid == p.cid


def use(cut):
    """What clients can do in what is there. The contents of files, by their paths."""
    clients = {"alice": Client(WORK, PORT, "alice"), "bob": Client(WORK, PORT, "bob")}
    expected, resumed = {}, 0
    for root, entries in run["journal"].items():
        client = clients["bob" if "deliverables" in root else "alice"]
        states = possible(entries, cut)
        state = states[-1]  # what is not sure to be there, in any of them, is left alone
        for path, p in state.partial.items():
            if path not in state.files and all(same_upload(s, path, p) for s in states):
                expected[path] = send(client, path, WRITE | CREATE, run["contents"][p.cid], p.sent)
                resumed += 1
        if all(root in s.folders for s in states):
            expected[root + "/again"] = send(client, root + "/again", WRITE | CREATE | TRUNCATE, b"", 0)
    for path, content in expected.items():
        with clients["bob"].sftp.open(path, "rb") as f:
            f.prefetch()
            if sha(f.read()) != sha(content):
                failures.append("after change %d: %s is not what was sent" % (cut, path))
    for client in clients.values():
        client.transport.close()
    return resumed, len(expected)


def sealed_twice():
    first = {}
    for line in open(AGAIN + "/bin/seals"):
        key, counter, last, plain = line.split()
        if first.setdefault((key, counter), (last, plain)) != (last, plain):
            return True
    return False


def one(index, kind):
    disk = Disk(run["base"])
    with open(AGAIN + "/bin/seals", "wb") as seals:
        for r in records[: index + 1]:
            disk.apply(r)
            if r.op == SEAL:
                seals.write(r.data)
    shutil.rmtree(AGAIN + "/state", ignore_errors=True)
    Image(AGAIN + "/state").make(disk, Loss(kind, rng))
    os.makedirs(AGAIN + "/state/run", 0o755, exist_ok=True)
    process = start()
    did = use(records[index].end)
    check = [BUILD + "/dropkeepctl", "-c", AGAIN + "/conf"]
    for command in (["check", "--deep"], ["audit", "verify"]):
        said = subprocess.run(check + command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if said.returncode:
            failures.append("after change %d: %s: %s" % (index, command[0], said.stdout))
    process.send_signal(signal.SIGTERM)
    if process.wait(60):
        failures.append("after change %d: the daemon ends with status %d" % (index, process.returncode))
    if sealed_twice():
        failures.append("after change %d: a counter has two plaintexts" % index)
    return did


def choose():
    """Where uploads are under way: after sealings, above all of such as went on under their key
    after a clean end, for these may not go on with it once more."""
    first, ended, seals, resumed = {}, 0, [], []
    for i, r in enumerate(records):
        if r.op == RENAME and r.path.startswith("uploads/"):
            ended = i
        elif r.op == SEAL:
            seals.append(i)
            if first.setdefault(r.data.split()[0], i) < ended:
                resumed.append(i)
    chosen = set(rng.sample(resumed, min(len(resumed), COUNT // 2 + 1)))
    rest = [i for i in seals if i not in chosen]
    chosen |= set(rng.sample(rest, min(len(rest), COUNT - len(chosen))))
    return [min(i + rng.randint(0, 3), len(records) - 1) for i in sorted(chosen)]


records = read_trace(WORK + "/bin/trace")
with open(WORK + "/run", "rb") as f:
    run = pickle.load(f)
set_up()
chosen = choose()
done = [one(i, kind) for i, kind in zip(chosen, ["nothing", "mixed"] * COUNT)]
for why in failures:
    print("# " + why)
print("# %d daemons started again, %d uploads gone on with, %d files sent" % (len(done), sum(d[0] for d in done), sum(d[1] for d in done)))
sys.exit(1 if failures else 0)
