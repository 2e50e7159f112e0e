# SPDX-License-Identifier: Apache-2.0
"""An SFTP client for the power-loss tests."""

import base64
import socket
import struct

import paramiko
from paramiko.sftp import CMD_HANDLE, CMD_OPEN

WRITE, CREATE, TRUNCATE = 2, 8, 16


class Client:
    """A connection of a user, with what paramiko's own open() cannot ask for."""

    def __init__(self, work, port, user):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.transport = paramiko.Transport(self.sock)
        line = open(work + "/state/keys/ssh_host_ed25519_key.pub").read().split()[1]
        host = paramiko.Ed25519Key(data=base64.b64decode(line))
        key = paramiko.Ed25519Key.from_private_key_file("%s/%s.key" % (work, user))
        self.transport.connect(hostkey=host, username=user, pkey=key)
        self.sftp = paramiko.SFTPClient.from_transport(self.transport)
        self.sftp.get_channel().settimeout(30)

    def open(self, path, flags):
        kind, message = self.sftp._request(CMD_OPEN, path.encode(), flags, paramiko.SFTPAttributes())
        if kind != CMD_HANDLE:
            raise IOError("no handle")
        f = paramiko.SFTPFile(self.sftp, message.get_binary(), "r+", 0)
        f.set_pipelined(True)
        return f

    def reset(self):
        """The network is gone from one moment to the next."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.close()
