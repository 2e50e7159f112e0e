# SPDX-License-Identifier: Apache-2.0
"""Turns bits in stored files, and judges what came of it.

  flips.py damage BLOBS SEED          one thing to each blob but every eighth; "ID KIND" a line
  flips.py judge BLOBS SENT GOT LIST  what was fetched against what was sent
  flips.py bits FILE SEED COUNT       "OFFSET BIT" a line, without what is known to be of no use
  flips.py flip FILE OFFSET BIT
  flips.py zero FILE OFFSET           the block of 4,096 bytes there

Files were sent with sizes that no two have in common, so a blob tells by its size which file it
is: BLOBS is the folder as it was before.
"""
import os
import random
import sys

CHUNK = 65536


def blobs(folder):
    return sorted((name, os.path.join(where, name))
                  for where, _, names in os.walk(folder) for name in names)


def flip(path, offset, bit):
    with open(path, "r+b") as f:
        f.seek(offset)
        byte = f.read(1)[0]
        f.seek(offset)
        f.write(bytes([byte ^ (1 << bit)]))


def zero(path, offset):
    with open(path, "r+b") as f:
        f.seek(offset)
        f.write(bytes(min(4096, os.path.getsize(path) - offset)))


def head_of(path):
    """Bytes of the age header with its last newline."""
    with open(path, "rb") as f:
        data = f.read(4096)
    return data.index(b"\n", data.index(b"\n---") + 1) + 1


KINDS = ["header", "nonce", "first", "bit", "last", "bit", "truncated", "extended", "zeroed",
         "bit", "emptied", "missing", "chunk less", "last byte"]


def damage_one(path, kind, chance):
    size, head = os.path.getsize(path), head_of(path)
    places = {"header": (0, head), "nonce": (head, head + 16),
              "first": (head + 16, min(size, head + 16 + CHUNK)), "bit": (head + 16, size),
              "last": (max(head + 16, size - CHUNK), size), "last byte": (size - 1, size)}
    if kind in places:
        flip(path, chance.randrange(*places[kind]), chance.randrange(8))
    elif kind == "truncated":
        os.truncate(path, chance.randrange(size))
    elif kind == "chunk less":
        os.truncate(path, size - CHUNK - 16 if size > 2 * CHUNK else size - 1)
    elif kind == "emptied":
        os.truncate(path, 0)
    elif kind == "missing":
        os.unlink(path)
    elif kind == "zeroed":
        zero(path, chance.randrange(size))
    else:
        with open(path, "ab") as f:
            f.write(b"x")


def damage(folder, seed):
    chance = random.Random(seed)
    for i, (name, path) in enumerate(blobs(folder)):
        if i % 8 == 7:
            continue
        kind = KINDS[(i + int(seed)) % len(KINDS)]
        damage_one(path, kind, chance)
        print(name, kind)


def judge(folder, sent, got, listed):
    """Blobs and files by their sizes; what is behind the end of a blob is not read."""
    damaged = dict(line.rstrip("\n").split(" ", 1) for line in open(listed))
    files = sorted(os.listdir(sent), key=lambda n: os.path.getsize(os.path.join(sent, n)))
    ids = sorted(blobs(folder), key=lambda b: os.path.getsize(b[1]))
    assert len(files) == len(ids)
    wrong = served = 0
    for (blob, _), name in zip(ids, files):
        whole = open(os.path.join(sent, name), "rb").read()
        there = os.path.join(got, name)
        came = open(there, "rb").read() if os.path.exists(there) else b""
        served += len(came)
        kind = damaged.get(blob)
        good = came == whole if kind in (None, "extended") else \
            whole.startswith(came) and len(came) < len(whole)
        if not good:
            wrong += 1
            print(f"{name}, blob {blob}, {kind}: {len(came)} of {len(whole)} bytes, "
                  f"{'a beginning' if whole.startswith(came) else 'NOT what was sent'}")
    print(f"{len(ids)} files, {len(damaged)} damaged, {served} bytes came, {wrong} wrong")
    return wrong


def bits(path, seed, count):
    chance = random.Random(seed)
    size = os.path.getsize(path)
    for _ in range(int(count)):
        offset = chance.randrange(size)
        while path.endswith("catalog.db") and offset % 4096 >= 4088:
            offset = chance.randrange(size)
        print(offset, chance.randrange(8))


verb, arguments = sys.argv[1], sys.argv[2:]
if verb == "damage":
    damage(*arguments)
elif verb == "judge":
    sys.exit(1 if judge(*arguments) else 0)
elif verb == "bits":
    bits(*arguments)
elif verb == "flip":
    flip(arguments[0], int(arguments[1]), int(arguments[2]))
elif verb == "zero":
    zero(arguments[0], int(arguments[1]))
else:
    sys.exit(__doc__)
