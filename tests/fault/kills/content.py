# SPDX-License-Identifier: Apache-2.0
"""What is sent: bytes that can be made again from numbers, and known again by their hash."""

import hashlib
import random
import threading


class Content:
    """A whole file. `closing`: its CLOSE has been sent, so that others may see it from then on."""

    def __init__(self, parts):
        self.parts = parts
        self.size = sum(size for _, size in parts)
        self.sha = hashlib.sha256(self.bytes()).hexdigest()
        self.closing = False

    def bytes(self):
        return b"".join(random.Random(seed).randbytes(size) for seed, size in self.parts)

    def __repr__(self):
        return "%d bytes %s" % (self.size, self.sha[:8])


class Contents:
    """All that was ever begun. Each is new, but for the empty one."""

    def __init__(self):
        self.lock = threading.Lock()
        self.by_sha = {}

    def make(self, rng, size, before=None):
        """Bytes of that size; behind the others, if there are some."""
        parts = (before.parts if before else []) + [(rng.getrandbits(64), size)]
        content = Content(parts)
        with self.lock:
            return self.by_sha.setdefault(content.sha, content)

    def is_whole(self, sha):
        content = self.by_sha.get(sha)
        return content is not None and content.closing
