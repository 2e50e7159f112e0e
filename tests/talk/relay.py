#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A network that fails on command: python3 relay.py PORT TO-PORT [PORT TO-PORT]…, all on 127.0.0.1.

Forwards connections, and does what it reads from standard input, a line at a time; each line is
answered by one on standard output:

    reset | close | freeze      to all connections that are there: a RST, an end in good order, or
                                nothing at all any more, as when a cable is pulled
    thaw                        go on with what is frozen
    after N reset|close|freeze  to the first connection whose client has sent N bytes from now on
"""
import asyncio
import functools
import socket
import struct
import sys

links = set()
armed = None  # (bytes still to go, what then)


def say(text):
    print(text, flush=True)


class Link:
    def __init__(self, near, far):
        self.writers = [near[1], far[1]]
        self.flows = asyncio.Event()
        self.flows.set()
        self.over = False

    def do(self, what):
        if what == "freeze":
            self.flows.clear()
            return
        self.over = True
        self.flows.set()
        links.discard(self)
        for w in self.writers:
            try:
                if what == "reset":
                    w.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                          struct.pack("ii", 1, 0))
                    w.transport.abort()
                else:
                    w.close()
            except OSError:
                pass  # that side had ended before


def until_cut(data):
    """How much of what a client sent still goes on, and what happens behind it."""
    global armed
    if armed is None:
        return len(data), None
    left, what = armed
    if len(data) < left:
        armed = (left - len(data), what)
        return len(data), None
    armed = None
    return left, what


async def pump(link, reader, writer, is_client):
    try:
        while not link.over:
            data = await reader.read(65536)
            await link.flows.wait()
            if not data or link.over:
                break
            part, what = until_cut(data) if is_client else (len(data), None)
            writer.write(data[:part])
            await writer.drain()
            if what:
                link.do(what)
                say(f"done {what}")
                await link.flows.wait()
                writer.write(data[part:])
        if writer.can_write_eof():
            writer.write_eof()
    except (OSError, RuntimeError):
        if not link.over:
            link.do("reset")


async def serve(to_port, near_reader, near_writer):
    try:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to_port)
    except OSError:
        near_writer.close()
        return
    for w in near_writer, far_writer:
        w.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link = Link((near_reader, near_writer), (far_reader, far_writer))
    links.add(link)
    await asyncio.gather(pump(link, near_reader, far_writer, True),
                         pump(link, far_reader, near_writer, False))
    links.discard(link)
    for w in link.writers:
        w.close()


def obey(line):
    global armed
    words = line.split()
    if words[0] == "after":
        armed = (int(words[1]), words[2])
        say(f"will {words[2]}")
        return
    for link in list(links):
        if words[0] == "thaw":
            link.flows.set()
        else:
            link.do(words[0])
    say(f"done {words[0]}")


async def main():
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    ports = [int(text) for text in sys.argv[1:]]
    for port, to_port in zip(ports[::2], ports[1::2]):
        await asyncio.start_server(functools.partial(serve, to_port), "127.0.0.1", port)
    say("ready")
    while line := await commands.readline():
        obey(line.decode())


asyncio.run(main())
