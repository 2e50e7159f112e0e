#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""OpenSSH's reput, but with some time between looking and opening:

    slow-reput.py PORT KEY KNOWN-HOSTS FILE NAME SECONDS

STAT, then OPEN with APPEND, then WRITEs that count from the size that STAT told.
"""
import sys
import time

import paramiko
from paramiko import sftp

port, key, known, local, name, seconds = sys.argv[1:]
ssh = paramiko.SSHClient()
ssh.load_host_keys(known)
ssh.connect("127.0.0.1", int(port), "alice", key_filename=key, look_for_keys=False,
            allow_agent=False)
client = ssh.open_sftp()
size = client.stat(name).st_size
print("told", size, flush=True)
time.sleep(float(seconds))
# paramiko's own open() for appending would look again.
flags = sftp.SFTP_FLAG_WRITE | sftp.SFTP_FLAG_CREATE | sftp.SFTP_FLAG_APPEND
_, answer = client._request(sftp.CMD_OPEN, name.encode(), flags, paramiko.SFTPAttributes())
file = paramiko.SFTPFile(client, answer.get_binary(), "r+", 0)
with open(local, "rb") as f:
    f.seek(size)
    file.seek(size)
    while data := f.read(32768):
        file.write(data)
file.close()
print("done", flush=True)
ssh.close()
