# SPDX-License-Identifier: Apache-2.0
#
# The story of paramiko.sh: what an SFTP client can ask for that the usual programs do not.
# Prints "ok TEXT" or "not ok TEXT" for each test, without numbers.
#
#	paramiko-story.py PORT HOST-KEY-FILE KEY-DIRECTORY

import errno
import hashlib
import os
import random
import socket
import stat
import struct
import sys
import threading
import time

import paramiko
from paramiko.sftp import CMD_EXTENDED, CMD_EXTENDED_REPLY, SFTPError

PORT, HOST_KEY, KEYS = int(sys.argv[1]), sys.argv[2], sys.argv[3]
random.seed(20260131)
KIB = 1024
CHUNK = 64 * KIB


def ok(what, good, why=""):
    print("%s %s" % ("ok" if good else "not ok", what), flush=True)
    if not good:
        for line in str(why).splitlines():
            print("    " + line, flush=True)


def says(what, words, act):
    """act is refused, and the refusal says so."""
    try:
        got = act()
    except (IOError, SFTPError) as e:
        ok(what, words in str(e), "%r" % e)
    else:
        ok(what, False, "no refusal: %r" % (got,))


def bytes_of(size):
    return random.Random(size).randbytes(size)


class Client:
    """A connection of a user, which believes only in the one host key."""

    def __init__(self, user):
        self.sock = socket.create_connection(("127.0.0.1", PORT), timeout=30)
        self.transport = paramiko.Transport(self.sock)
        kind, line = open(HOST_KEY).read().split()[:2]
        host = paramiko.Ed25519Key(data=__import__("base64").b64decode(line))
        assert kind == "ssh-ed25519"
        key = paramiko.Ed25519Key.from_private_key_file("%s/%s.key" % (KEYS, user))
        self.transport.connect(hostkey=host, username=user, pkey=key)
        self.sftp = paramiko.SFTPClient.from_transport(self.transport)
        self.sftp.get_channel().settimeout(30)

    def end(self):
        self.transport.close()

    def reset(self):
        """The network is gone from one moment to the next."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.close()

    def extended(self, name, *args):
        return self.sftp._request(CMD_EXTENDED, name, *args)


def until(seconds, act):
    end = time.time() + seconds
    while True:
        try:
            return act()
        except IOError:
            if time.time() > end:
                raise
            time.sleep(0.1)


alice, bob, anna = Client("alice"), Client("bob"), Client("anna")
HERE, THERE = "/acme/incoming/", "/acme/incoming/"


def content(name, client=None):
    with (client or bob).sftp.open(THERE + name, "rb") as f:
        f.prefetch()
        return f.read()


def send(name, data, mode="w"):
    with alice.sftp.open(HERE + name, mode) as f:
        f.set_pipelined(True)
        f.write(data)


# --- plain work --------------------------------------------------------------------------

for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * 1000 * 1000):
    data = bytes_of(size)
    send("plain", data)
    ok("%d bytes go and come" % size, content("plain") == data)
    ok("their size is known (%d)" % size, alice.sftp.stat(HERE + "plain").st_size == size)

local = KEYS + "/paramiko.tmp"
with open(local, "wb") as f:
    f.write(bytes_of(2000001))
ok("put looks at what it has sent", alice.sftp.put(local, HERE + "put").st_size == 2000001)
bob.sftp.get(THERE + "put", local + ".out")
ok("get fetches it", open(local + ".out", "rb").read() == bytes_of(2000001))
names = {a.filename: a for a in bob.sftp.listdir_attr(THERE)}
ok("a listing has both", set(names) == {"plain", "put"}, names)
ok("with sizes", names["put"].st_size == 2000001)
ok("as files", stat.S_ISREG(names["put"].st_mode) and stat.S_ISDIR(bob.sftp.stat(THERE).st_mode))
ok("a path is made whole", alice.sftp.normalize("incoming/../deliverables/.") == "/acme/deliverables")

with bob.sftp.open(THERE + "put", "rb") as f:
    data, good = bytes_of(2000001), True
    for i in range(150):
        at, n = random.randrange(2000001), random.randrange(1, 70000)
        f.seek(at)
        good &= f.read(n) == data[at : at + n]
    ok("read here and there", good)
    pieces = [(i * 100000, 5000) for i in range(20)]
    ok("many pieces at once", list(f.readv(pieces)) == [data[a : a + n] for a, n in pieces])
    f.seek(2000001)
    ok("nothing behind the end", f.read(10) == b"")

# --- writes in any order -----------------------------------------------------------------

def write_pieces(name, data, pieces, mode="w"):
    with alice.sftp.open(HERE + name, mode) as f:
        f.set_pipelined(True)
        for at, n in pieces:
            f.seek(at)
            f.write(data[at : at + n])


data = bytes_of(2500000)
cut = [(at, min(30000, 2500000 - at)) for at in range(0, 2500000, 30000)]
shuffled = []
for i in range(0, len(cut), 8):
    group = cut[i : i + 8]
    random.shuffle(group)
    shuffled += group
write_pieces("order", data, shuffled)
ok("pieces that overtake each other", content("order") == data)
write_pieces("order", data, [(0, 200000), (100000, 200000), (250000, 100), (50000, 2450000)])
ok("the same bytes twice", content("order") == data)
write_pieces("order", data, list(reversed(cut[:20])) + cut[20:])
ok("backwards", content("order") == data)

changed = bytearray(data)
changed[70000:70010] = b"0123456789"
with alice.sftp.open(HERE + "order", "w") as f:
    f.set_pipelined(True)
    f.write(data)
    f.seek(70000)
    f.write(b"0123456789")
ok("other bytes over those that were stored", content("order") == bytes(changed))
with alice.sftp.open(HERE + "order", "r+") as f:
    f.seek(1000000)
    f.write(b"abcdef")
changed[1000000:1000006] = b"abcdef"
ok("in a finished file, too", content("order") == bytes(changed))
with alice.sftp.open(HERE + "order", "a") as f:
    f.write(b"more")
ok("appended", content("order") == bytes(changed) + b"more")


def far_apart():
    with alice.sftp.open(HERE + "far", "w") as f:
        for i in range(200):
            f.seek(i * 10 * CHUNK)
            f.write(b"x")


says("writes too far apart are refused", "too far apart", far_apart)
ok("which hurts nothing else", alice.sftp.stat(HERE + "order").st_size == 2500004)

# --- sizes -------------------------------------------------------------------------------

with alice.sftp.open(HERE + "size", "w") as f:
    f.write(data[:500000])
    f.truncate(300000)
    ok("the handle knows the new size", f.stat().st_size == 300000)
    f.seek(300000)
    f.write(data[:100000])
ok("cut and gone on", content("size") == data[:300000] + data[:100000])
with alice.sftp.open(HERE + "size", "r+") as f:
    f.truncate(10)
says("cut and closed is unfinished, for it may be a reput that was interrupted", "unfinished",
     lambda: alice.sftp.open(HERE + "size").read())
ok("all others see what was there before", content("size") == data[:300000] + data[:100000])
alice.sftp.remove(HERE + "size")
ok("and after the part is removed the sender, too", alice.sftp.stat(HERE + "size").st_size == 400000)
write_pieces("hole", data, [(0, 70000), (100000, 100000)])
kept = alice.sftp.stat(HERE + "hole").st_size
ok("what is in front of a hole is kept, in whole chunks at least", CHUNK <= kept <= 70000, kept)
says("a file with a hole is unfinished", "unfinished", lambda: alice.sftp.open(HERE + "hole").read())
says("and not there for others", "no such file", lambda: bob.sftp.stat(THERE + "hole"))
write_pieces("hole", data, [(kept, 200000 - kept)], "r+")
ok("until the hole is filled", content("hole") == data[:200000])

# --- attributes and names ----------------------------------------------------------------

with alice.sftp.open(HERE + "dated", "w") as f:
    f.write(b"x")
    f.utime((1000000000, 1000000000))
    ok("a time is shown as soon as it is set", f.stat().st_mtime == 1000000000)
    f.chmod(0o600)
ok("and stays", bob.sftp.stat(THERE + "dated").st_mtime == 1000000000)
alice.sftp.utime(HERE + "dated", (1200000000, 1200000000))
ok("until it is set again", bob.sftp.stat(THERE + "dated").st_mtime == 1200000000)
says("rename does not replace", "exists", lambda: alice.sftp.rename(HERE + "dated", HERE + "hole"))
alice.sftp.posix_rename(HERE + "dated", HERE + "hole")
ok("posix-rename does", content("hole") == b"x")
says("an exclusive open is for new files", "exists", lambda: alice.sftp.open(HERE + "hole", "wx"))
send("exclusive", b"mine", "wx")
ok("of which it makes one", content("exclusive") == b"mine")
says("no symbolic links", "not supported", lambda: alice.sftp.symlink(HERE + "hole", HERE + "link"))
says("nor any to be read", "", lambda: alice.sftp.readlink(HERE + "hole"))

says("refused: where to", "use incoming/", lambda: alice.sftp.open("/acme/x", "w"))
says("refused: which right", "right 'r'", lambda: alice.sftp.open(HERE + "hole").read())
says("refused: by what", "name is taken", lambda: anna.sftp.open(HERE + "hole", "w"))
says("refused: not there", "no such file", lambda: anna.sftp.open(HERE + "hole"))
says("refused: a folder", "folder", lambda: alice.sftp.remove(HERE[:-1]))
says("refused: a long name", "255", lambda: alice.sftp.open(HERE + "n" * 256, "w"))
says("refused: no text", "UTF-8", lambda: alice.sftp.open((HERE + "a\xff").encode("latin-1"), "w"))
says("refused: a control character", "control", lambda: alice.sftp.open(HERE + "a\tb", "w"))

# --- extensions --------------------------------------------------------------------------

kind, msg = alice.extended("statvfs@openssh.com", HERE)
block, unit, blocks, free = (msg.get_int64() for _ in range(4))
ok("statvfs", kind == CMD_EXTENDED_REPLY and 0 < free < blocks and block > 0, (kind, block, blocks, free))
kind, msg = alice.extended("limits@openssh.com")
packet, read, write, handles = (msg.get_int64() for _ in range(4))
ok("limits", packet > write >= 32768 and read >= 32768 and handles == 100, (packet, read, write, handles))
kind, msg = alice.extended("expand-path@openssh.com", "~/incoming")
ok("expand-path", msg.get_int() == 1 and msg.get_text() == "/acme/incoming")
kind, msg = alice.extended("home-directory", "alice")
ok("home-directory", msg.get_int() == 1 and msg.get_text() == "/acme")
says("others' homes are not told", "no such user", lambda: alice.extended("home-directory", "bob"))
with alice.sftp.open(HERE + "synced", "w") as f:
    f.write(data)
    alice.extended("fsync@openssh.com", f.handle)
    ok("fsync", True)
ok("and what was synced is whole", content("synced") == data)
says("no other extensions", "no such extension", lambda: alice.extended("nothing@example.org", "x"))

# --- handles -----------------------------------------------------------------------------

held = []
try:
    while len(held) < 200:
        held.append(bob.sftp.open(THERE + "plain", "rb"))
except IOError as e:
    ok("a session has so many handles and no more", len(held) == 100 and "too many" in str(e), "%d %r" % (len(held), e))
ok("which all work", all(f.read(1) == bytes_of(3000000)[:1] for f in held))
for f in held:
    f.close()
ok("and come free again", content("exclusive") == b"mine")
says("a handle that was closed is none", "handle", lambda: bob.sftp._request(4, held[0].handle))
puts = [alice.sftp.open(HERE + "many%d" % i, "w") for i in range(40)]
for part in range(4):
    for i, f in enumerate(puts):
        f.write(data[part * 50000 + i : part * 50000 + i + 50000])
for f in puts:
    f.close()
good = all(content("many%d" % i) == b"".join(data[p * 50000 + i : p * 50000 + i + 50000] for p in range(4))
           for i in range(40))
ok("forty uploads at once through one connection", good)

# --- broken off --------------------------------------------------------------------------

for how in ("end", "reset"):
    for size in (1, CHUNK, 1000001):
        lost = Client("alice")
        f = lost.sftp.open(HERE + "broken", "w")
        f.write(data[:size])
        getattr(lost, how)()
        # A connection that is reset may be noticed a moment later.
        def arrived():
            if alice.sftp.stat(HERE + "broken").st_size != size:
                raise IOError("not yet")
            return True
        try:
            ok("%s after %d bytes: all that was answered is there" % (how, size), until(10, arrived))
        except IOError as e:
            ok("%s after %d bytes: all that was answered is there" % (how, size), False, e)
        says("%s after %d bytes: for its sender alone" % (how, size), "no such file",
             lambda: bob.sftp.stat(THERE + "broken"))
        write_pieces("broken", data, [(size, 2500000 - size)], "r+")
        ok("%s after %d bytes: it goes on" % (how, size), content("broken") == data)
        alice.sftp.remove(HERE + "broken")

# --- at the same time --------------------------------------------------------------------

failures = []


def churn(number):
    try:
        sender, reader = Client("alice"), Client("bob")
        for i in range(12):
            mine = os.urandom(random.randrange(700000))
            with sender.sftp.open(HERE + "churn%d" % number, "w") as f:
                f.set_pipelined(i % 2 == 0)
                f.write(mine)
            with reader.sftp.open(THERE + "churn%d" % number, "rb") as f:
                if i % 3:
                    f.prefetch()
                back = f.read()
            if hashlib.sha256(back).digest() != hashlib.sha256(mine).digest():
                failures.append("%d: round %d differs" % (number, i))
        sender.end()
        reader.end()
    except Exception as e:
        failures.append("%d: %r" % (number, e))


threads = [threading.Thread(target=churn, args=(n,)) for n in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
ok("four senders and four readers at once", not failures, "\n".join(failures))

for c in (alice, bob, anna):
    c.end()
ok("to the end", True)
