# SPDX-License-Identifier: Apache-2.0
"""A connection that tells three ends of a request apart: an answer, a refusal, and none."""

import base64
import errno
import hashlib
import logging
import socket
import stat
import struct

import paramiko
from paramiko import sftp as wire

try:
    from paramiko.sftp import int64
except ImportError:  # paramiko 2
    from paramiko.py3compat import long as int64

logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)

READ, WRITE, CREAT, TRUNC = 1, 2, 8, 16
PIECE = 32768
WINDOW = 32
HANG_SECONDS = 60


class Cut(Exception):
    """The connection has ended: whether the request was carried out is not known."""


class Hung(Exception):
    """Nobody answered, and nobody hung up."""


class Refused(Exception):
    """A status that is not OK. missing, denied: the two that have a code of their own."""

    def __init__(self, error):
        super().__init__(str(error))
        self.missing = error.errno == errno.ENOENT
        self.denied = error.errno == errno.EACCES


class Answers:
    """Where answers wait that came before they were asked for."""

    def __init__(self, sftp):
        self.sftp, self.got = sftp, {}

    def _async_response(self, kind, msg, num):
        self.got[num] = (kind, msg)

    def send(self, kind, *args):
        return self.sftp._async_request(self, kind, *args)

    def wait(self, num):
        while num not in self.got:
            self.sftp._read_response()
        kind, msg = self.got.pop(num)
        if kind == wire.CMD_STATUS:
            self.sftp._convert_status(msg)
        return msg


class Client:
    def __init__(self, place, user):
        self.place, self.user, self.transport = place, user, None

    def connect(self):
        try:
            self.sock = socket.create_connection(("127.0.0.1", self.place.port), timeout=15)
            self.transport = paramiko.Transport(self.sock)
            key = paramiko.Ed25519Key.from_private_key_file("%s/%s.key" % (self.place.keys, self.user))
            self.transport.connect(hostkey=self.place.host_key, username=self.user, pkey=key)
            # Its thread may die of a connection that ends just now, and then tells nobody.
            channel = self.transport.open_session(timeout=15)
            channel.settimeout(HANG_SECONDS)
            channel.invoke_subsystem("sftp")
            self.sftp = paramiko.SFTPClient(channel)
            self.answers = Answers(self.sftp)
        except (EOFError, OSError, paramiko.SSHException) as e:
            self.end()
            raise Cut("%r" % e)
        except AttributeError as e:  # paramiko's, where the connection ends between two steps
            self.end()
            raise Cut("%r" % e)

    def end(self):
        if self.transport:
            self.transport.close()

    def reset(self):
        """The network is gone from one moment to the next."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:  # the other side was faster
            pass
        self.transport.close()

    def guard(self, act, *args):
        try:
            return act(*args)
        except socket.timeout:
            raise Hung("no answer within %d s" % HANG_SECONDS)
        except (EOFError, paramiko.SSHException) as e:
            raise Cut("%r" % e)
        except OSError as e:
            closed = e.errno not in (None, errno.ENOENT, errno.EACCES) or "closed" in str(e)
            if closed or not self.transport.is_active():
                raise Cut("%r" % e)
            raise Refused(e)

    def ask(self, kind, *args):
        return self.guard(lambda: self.answers.wait(self.answers.send(kind, *args)))

    # --- files ---------------------------------------------------------------------------

    def open(self, path, flags):
        return self.ask(wire.CMD_OPEN, path, flags, paramiko.SFTPAttributes()).get_binary()

    def close(self, handle):
        self.ask(wire.CMD_CLOSE, handle)

    def fsync(self, handle):
        self.ask(wire.CMD_EXTENDED, "fsync@openssh.com", handle)

    def handle_size(self, handle):
        return paramiko.SFTPAttributes._from_msg(self.ask(wire.CMD_FSTAT, handle)).st_size

    def write(self, handle, offset, data):
        """Pipelined; returns when all of it was answered."""
        self.guard(self._write, handle, offset, data)

    def _write(self, handle, offset, data):
        sent = []
        for at in range(0, len(data), PIECE):
            sent.append(self.answers.send(wire.CMD_WRITE, handle, int64(offset + at), data[at : at + PIECE]))
            if len(sent) >= WINDOW:
                self.answers.wait(sent.pop(0))
        for num in sent:
            self.answers.wait(num)

    def fetch(self, path):
        """Size and hash of what is there for everybody."""
        return self.guard(self._fetch, path)

    def _fetch(self, path):
        wait, send = self.answers.wait, self.answers.send
        handle = wait(send(wire.CMD_OPEN, path, READ, paramiko.SFTPAttributes())).get_binary()
        size = paramiko.SFTPAttributes._from_msg(wait(send(wire.CMD_FSTAT, handle))).st_size
        digest, asked, got = hashlib.sha256(), [], 0
        for at in range(0, size, PIECE):
            asked.append(send(wire.CMD_READ, handle, int64(at), PIECE))
            if len(asked) >= WINDOW:
                got += self._take(asked.pop(0), digest)
        for num in asked:
            got += self._take(num, digest)
        wait(send(wire.CMD_CLOSE, handle))
        return got, digest.hexdigest()

    def _take(self, num, digest):
        data = self.answers.wait(num).get_binary()
        digest.update(data)
        return len(data)

    # --- names ---------------------------------------------------------------------------

    def rename(self, old, new, replace):
        if replace:
            self.ask(wire.CMD_EXTENDED, "posix-rename@openssh.com", old, new)
        else:
            self.ask(wire.CMD_RENAME, old, new)

    def remove(self, path):
        self.ask(wire.CMD_REMOVE, path)

    def mkdir(self, path):
        self.ask(wire.CMD_MKDIR, path, paramiko.SFTPAttributes())

    def rmdir(self, path):
        self.ask(wire.CMD_RMDIR, path)

    def set_mtime(self, path, seconds):
        attr = paramiko.SFTPAttributes()
        attr._flags |= attr.FLAG_AMTIME
        attr.st_atime = attr.st_mtime = seconds
        self.ask(wire.CMD_SETSTAT, path, attr)

    def stat(self, path):
        """None where nothing is to be seen."""
        try:
            return paramiko.SFTPAttributes._from_msg(self.ask(wire.CMD_STAT, path))
        except Refused as e:
            if e.missing:
                return None
            raise

    def kind(self, path):
        """What a name is to its sender: 'file', 'partial', or None."""
        try:
            self.close(self.open(path, READ))
        except Refused as e:
            if "unfinished" in str(e):
                return "partial"
            if e.missing:
                return None
            if not e.denied:
                raise
        return "file"

    def walk(self, top):
        """All below it: path -> None for a folder, (size, mtime) for a file."""
        found = {}
        for a in self.guard(self.sftp.listdir_attr, top):
            path = "%s/%s" % (top, a.filename)
            if stat.S_ISDIR(a.st_mode):
                found[path] = None
                found.update(self.walk(path))
            else:
                found[path] = (a.st_size, a.st_mtime)
        return found
