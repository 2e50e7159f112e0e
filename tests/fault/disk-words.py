# SPDX-License-Identifier: Apache-2.0
#
# What an SFTP client is told when the disk gets full: prints a line for each request that was
# refused, with the sentence, and nothing more.
#
#	disk-words.py PORT HOST-KEY-FILE KEY USER NAME…
#
# Opens each name at once, writes to all in turn until they refuse, then closes them.

import base64
import socket
import sys

import paramiko

port, host_key, key_file, user = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
PIECE = 32768


def tried(what, name, act):
    try:
        return act()
    except IOError as e:
        print("%s %s: %s" % (what, name, e), flush=True)
        return None


transport = paramiko.Transport(socket.create_connection(("127.0.0.1", port), timeout=30))
line = base64.b64decode(open(host_key).read().split()[1])
transport.connect(
    hostkey=paramiko.Ed25519Key(data=line),
    username=user,
    pkey=paramiko.Ed25519Key.from_private_key_file(key_file),
)
sftp = paramiko.SFTPClient.from_transport(transport)
files = {}
for name in sys.argv[5:]:
    f = tried("open", name, lambda: sftp.open(name, "wb"))
    if f:
        files[name] = f
writing = dict(files)
count = 0
while writing:
    for name, f in list(writing.items()):
        data = bytes([count % 251]) * PIECE
        if tried("write", name, lambda: f.write(data) or True) is None:
            del writing[name]
    count += 1
for name, f in files.items():
    # Past paramiko's own close(), which tells nobody what the server has said.
    tried("close", name, lambda: sftp._request(paramiko.sftp.CMD_CLOSE, f.handle))
    f._closed = True
transport.close()
