#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Reads a log over HTTPS as C2SP tlog-tiles tells it and verifies all of it, with nothing of
dropkeep: leaves of the entry bundles against the tiles, each level against the one below, the root
against the checkpoint, the checkpoint's signature by openssl.

    tlog-verify.py URL CA HEADER-FILE [VERIFIER-KEY]

HEADER-FILE: a line "Authorization: Bearer …" of somebody who may read entries too.
Prints the number of entries, and each event with the number of its records."""
import base64
import collections
import hashlib
import http.client
import json
import ssl
import subprocess
import sys
import tempfile
import urllib.parse


def h(b):
    return hashlib.sha256(b).digest()


def tree(d):
    if len(d) < 2:
        return d[0] if d else h(b"")
    k = 1 << (len(d) - 1).bit_length() - 1
    return h(b"\1" + tree(d[:k]) + tree(d[k:]))


class Log:
    def __init__(self, url, ca, header):
        parts = urllib.parse.urlsplit(url)
        self.to = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=60,
                                              context=ssl.create_default_context(cafile=ca))
        name, _, value = open(header, encoding="ascii").read().strip().partition(": ")
        self.headers = {name: value}

    def get(self, path, kind):
        self.to.request("GET", "/log/" + path, headers=self.headers)
        answer = self.to.getresponse()
        body = answer.read()
        assert answer.status == 200, f"{path}: status {answer.status}"
        assert answer.getheader("Content-Type") == kind, (path, answer.getheader("Content-Type"))
        cache = answer.getheader("Cache-Control")
        assert ("immutable" in cache) == (path != "checkpoint"), (path, cache)
        return body

    def tile(self, what, index, width):
        groups = [f"{index % 1000:03d}"]
        while index >= 1000:
            index //= 1000
            groups.insert(0, f"x{index % 1000:03d}")
        partial = f".p/{width}" if width < 256 else ""
        return self.get(f"tile/{what}/{'/'.join(groups)}{partial}", "application/octet-stream")


def check_signature(note, origin, vkey):
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key)
    text, signatures = note.split("\n\n")
    signature = base64.b64decode(signatures.split()[2])
    assert name == origin and key[0] == 1
    assert h(name.encode() + b"\n" + key)[:4].hex() == key_id == signature[:4].hex()
    with tempfile.TemporaryDirectory() as d:
        for part, content in (("text", text.encode() + b"\n"), ("signature", signature[4:]),
                              ("key", bytes.fromhex("302a300506032b6570032100") + key[1:])):
            with open(f"{d}/{part}", "wb") as f:
                f.write(content)
        subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", d + "/key",
                        "-rawin", "-in", d + "/text", "-sigfile", d + "/signature"],
                       check=True, stdout=subprocess.DEVNULL)


def read_tiles(log, what, size):
    for index in range((size + 255) // 256):
        yield index, log.tile(what, index, min(256, size - index * 256))


def read_level(log, level, size):
    hashes = []
    for index, tile in read_tiles(log, level, size):
        width = min(256, size - index * 256)
        assert len(tile) == 32 * width, f"tile {index} of level {level} has {len(tile)} bytes"
        hashes += [tile[i:i + 32] for i in range(0, len(tile), 32)]
    return hashes


def read_entries(log, size):
    entries = []
    for _, bundle in read_tiles(log, "entries", size):
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            assert len(bundle) >= 2 + length, "a bundle that ends early"
            entries.append(bundle[2:2 + length])
            bundle = bundle[2 + length:]
    return entries


def main():
    log = Log(*sys.argv[1:4])
    note = log.get("checkpoint", "text/plain; charset=utf-8").decode()
    origin, size, root = note.split("\n")[:3]
    size = int(size)
    if len(sys.argv) > 4:
        check_signature(note, origin, sys.argv[4])
    leaves = read_level(log, 0, size)
    assert base64.b64encode(tree(leaves)).decode() == root, "another root than the checkpoint's"
    below, level = leaves, 1
    while len(below) >= 256:
        above = read_level(log, level, len(below) // 256)
        assert above == [tree(below[i:i + 256]) for i in range(0, len(below) - 255, 256)]
        below, level = above, level + 1
    entries = read_entries(log, size)
    assert [h(b"\0" + e) for e in entries] == leaves, "entries that are not in the tree"
    records = [json.loads(e) for e in entries]
    assert [r["seq"] for r in records] == list(range(size))
    # Tiles of earlier trees are the beginnings of today's.
    for width in (1, 5, 200):
        if size >= width:
            assert log.tile(0, 0, width) == b"".join(leaves[:width])
            assert log.tile("entries", 0, width) == b"".join(
                len(e).to_bytes(2, "big") + e for e in entries[:width])
    print("entries", size)
    for event, n in sorted(collections.Counter(r["event"] for r in records).items()):
        print(event, n)


main()
