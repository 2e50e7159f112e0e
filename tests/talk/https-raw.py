# SPDX-License-Identifier: Apache-2.0
#
# The story of https-raw.sh: HTTP byte by byte, as honest clients never say it.
# Prints "ok TEXT" or "not ok TEXT" for each test, without numbers.
#
#	https-raw.py PORT SLOW-PORT CERTIFICATE CLIENT-CERTIFICATE GATE-PID
#
# SLOW-PORT: of a gate that has two seconds of patience.

import concurrent.futures
import os
import re
import socket
import ssl
import sys
import threading
import time

PORT, SLOW = int(sys.argv[1]), int(sys.argv[2])
CA, CLIENT, GATE = sys.argv[3:6]
TOKEN = "Authorization: Bearer some-token\r\n"
HEALTH = "GET /healthz HTTP/1.1\r\nHost: h\r\n"
ACCOUNT = "GET /account HTTP/1.1\r\nHost: h\r\n" + TOKEN
PATIENCE = 20


def ok(what, good, why=""):
    print("%s %s" % ("ok" if good else "not ok", what), flush=True)
    if not good:
        for line in repr(why)[:2000].splitlines():
            print("    " + line, flush=True)


def context(client=None):
    c = ssl.create_default_context(cafile=CA)
    c.check_hostname = False
    if client:
        c.load_cert_chain(client)
    return c


CONTEXT = context()


class Raw:
    """One connection, with what has come and was not looked at."""

    def __init__(self, port=PORT, ctx=CONTEXT):
        self.tcp = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.tls = ctx.wrap_socket(self.tcp, server_hostname="localhost")
        self.tls.settimeout(PATIENCE)
        self.got = b""
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.tls.close()

    def send(self, text):
        self.tls.sendall(text.encode("latin-1") if isinstance(text, str) else text)

    def more(self):
        try:
            data = self.tls.recv(65536)
        except (ConnectionError, ssl.SSLError):
            data = b""
        self.closed = not data
        self.got += data
        return data

    def answer(self, head_only=False):
        """Status, fields, body; None when the connection ends before."""
        while b"\r\n\r\n" not in self.got:
            if not self.more():
                return None
        head, self.got = self.got.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        fields = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
        length = 0 if head_only or status in (100, 204, 304) else int(fields.get("content-length", 0))
        while len(self.got) < length:
            if not self.more():
                return None
        body, self.got = self.got[:length], self.got[length:]
        return status, fields, body

    def ends(self):
        while not self.closed:
            self.more()
        return not self.got


def says(request, status, word=None, closes=True, what=None):
    """The request is answered so; it makes no difference where it is cut."""
    what = what or repr(request)[2 if isinstance(request, bytes) else 1:70]
    for cut in (0, 1, len(request) // 2):
        with Raw() as c:
            if cut == 1:
                for i in range(len(request)):
                    try:
                        c.send(request[i : i + 1])
                    except (ConnectionError, ssl.SSLError):
                        break
            elif cut:
                c.send(request[:cut])
                time.sleep(0.02)
                try:
                    c.send(request[cut:])
                except (ConnectionError, ssl.SSLError):
                    pass
            else:
                c.send(request)
            a = c.answer()
            good = a and a[0] == status and (not word or b"problem:" + word.encode() in a[2])
            if good and closes:
                good = a[1].get("connection") == "close" and c.ends()
            if not good:
                return ok("%s: %d" % (what, status), False, (cut, a, c.got))
    ok("%s: %d%s" % (what, status, ", and the end" if closes else ""), True)


def bad(fields, status=400, word="malformed", start="POST /account HTTP/1.1\r\nHost: h\r\n" + TOKEN):
    says(start + fields, status, word, what=repr(fields)[1:60])


# ---- heads and bodies that can be read in two ways ----

for fields in (
    "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
    "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
    "Content-Length: 4, 4\r\n\r\nabcd",
    "Content-Length: +4\r\n\r\nabcd",
    "Content-Length: -1\r\n\r\n",
    "Content-Length: 0x4\r\n\r\nabcd",
    "Content-Length: 4 4\r\n\r\nabcd",
    "Content-Length:\r\n\r\nabcd",
    "Content-Length: 99999999999999999999\r\n\r\n",
    "Content-Length : 4\r\n\r\nabcd",
    "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    " Content-Length: 4\r\n\r\nabcd",
    "X: a\r\n b\r\n\r\n",
    "X: a\r\n\tContent-Length: 4\r\n\r\n",
    "X: a\nContent-Length: 4\r\n\r\n",
    "X: a\rContent-Length: 4\r\n\r\n",
    "X: a\r\r\n\r\n",
    "X: a\n\n",
    "X: a\x00b\r\n\r\n",
    "X: a\x01b\r\n\r\n",
    "X: a\x7fb\r\n\r\n",
    "X\x00: a\r\n\r\n",
    "X(y): a\r\n\r\n",
    "no colon\r\n\r\n",
    ": no name\r\n\r\n",
    "Host: again\r\n\r\n",
):
    bad(fields)
for fields in ("Transfer-Encoding: gzip, chunked\r\n\r\n", "Transfer-Encoding: identity\r\n\r\n",
               "Transfer-Encoding: chunked, chunked\r\n\r\n", "Transfer-Encoding: xchunked\r\n\r\n",
               "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
    with Raw() as c:
        c.send("POST /account HTTP/1.1\r\nHost: h\r\n" + fields)
        a = c.answer()
        ok("%r is no coding of ours" % fields[:40], a and a[0] in (400, 501) and c.ends(), a)

for request in (
    "GET /healthz\r\n\r\n",
    "GET  /healthz HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /healthz HTTP/1.1 \r\nHost: h\r\n\r\n",
    "GET /heal thz HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET healthz HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /healthz#x HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /health\x80z HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET http://h/healthz HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET * HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /healthz HTTP/1.1\r\n\r\n",
    "G[T /healthz HTTP/1.1\r\nHost: h\r\n\r\n",
    "\x16\x03\x01\x00\x05hello\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
):
    with Raw() as c:
        c.send(request)
        a = c.answer()
        ok("%r: no" % request[:40], a and a[0] in (400, 505) and a[1].get("connection") == "close" and c.ends(), a)
for method in ("BREW", "get", "TRACE", "CONNECT", "LOCK", "DESCRIBE", "GETX"):
    says("%s /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" % method, 501, "unsupported", what="method " + method)
says("BREW /nowhere HTTP/1.1\r\nHost: h\r\n\r\n", 501, "unsupported")
says("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", 501, "unsupported")
says("GET /healthz HTTP/1.2\r\nHost: h\r\n\r\n", 505, "version")
says("GET /healthz HTTP/2.0\r\nHost: h\r\n\r\n", 505, "version")

# ---- bounds ----

for what, request, status in (
    ("a long request line", "GET /" + "a" * 20000, 414),
    ("a long request line, whole", "GET /" + "a" * 20000 + " HTTP/1.1\r\nHost: h\r\n\r\n", 414),
    ("a long header", HEALTH + "X: " + "a" * 60000, 431),
    ("many fields", HEALTH + "X: a\r\n" * 101 + "\r\n", 431),
):
    with Raw() as c:
        try:
            c.send(request)
        except (ConnectionError, ssl.SSLError):
            pass
        a = c.answer()
        ok("%s: %d" % (what, status), a and a[0] == status and c.ends(), a)
with Raw() as c:
    c.send(HEALTH + "X: a\r\n" * 98 + "\r\n")
    a = c.answer()
    ok("ninety-nine fields are taken", a and a[0] == 200, a)

# ---- what is right ----

with Raw() as c:
    c.send(HEALTH + "\r\n")
    a = c.answer()
    ok("GET", a and a[0] == 200 and a[2] == b"ok\n", a)
    ok("Date is one", re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", a[1].get("date", "")), a)
    ok("nobody says which server it is", "server" not in a[1], a)
    ok("nosniff", a[1].get("x-content-type-options") == "nosniff", a)
    c.send("HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n" + HEALTH + "\r\n")
    a, b = c.answer(head_only=True), c.answer()
    ok("HEAD has a length and no body", a and a[0] == 200 and a[1].get("content-length") == "3" and b and b[2] == b"ok\n", (a, b))
    c.send("HEAD /files/zone/ HTTP/1.1\r\nHost: h\r\n" + TOKEN + "\r\n" + HEALTH + "\r\n")
    a, b = c.answer(head_only=True), c.answer()
    ok("HEAD of a folder ends no connection", a and a[0] == 200 and "connection" not in a[1] and b and b[2] == b"ok\n", (a, b))
    c.send("POST /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
    a = c.answer()
    ok("405 says what may be asked", a and a[0] == 405 and a[1].get("allow") == "GET, HEAD, OPTIONS", a)
with Raw() as c:
    c.send("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\nOPTIONS /account HTTP/1.1\r\nHost: h\r\n\r\n")
    a, b = c.answer(), c.answer()
    ok("OPTIONS", a and a[0] == 204 and b and b[0] == 204 and b[1].get("allow") == "GET, HEAD, OPTIONS", (a, b))
    c.send("\r\n\r\n" + HEALTH + "\r\n")
    a = c.answer()
    ok("empty lines before a request are passed over", a and a[0] == 200, a)
    c.send("GET https://h/healthz HTTP/1.1\r\nHost: h\r\n\r\n")
    a = c.answer()
    ok("the absolute form", a and a[0] == 200, a)
    c.send("GET /healthz?x=y HTTP/1.1\r\nhOsT:h\r\n\r\n")
    a = c.answer()
    ok("a query, and names in any case", a and a[0] == 200, a)
    c.send(HEALTH + "Connection: keep-alive, CLOSE\r\n\r\n")
    a = c.answer()
    ok("Connection: close", a and a[1].get("connection") == "close" and c.ends(), a)
with Raw() as c:
    c.send("GET /healthz HTTP/1.0\r\n\r\n")
    a = c.answer()
    ok("HTTP/1.0", a and a[0] == 200 and c.ends(), a)
with Raw() as c:
    c.send((ACCOUNT + "\r\n" + HEALTH + "\r\n") * 40)
    answers = [c.answer() for _ in range(80)]
    right = [a and a[2][:4] for a in answers] == [b'{"us', b"ok\n"] * 40
    ok("eighty requests at once, answered in their order", right, answers[:3])
with Raw() as c:
    for i in HEALTH + "\r\n":
        c.send(i)
    a = c.answer()
    ok("byte by byte", a and a[0] == 200, a)

# ---- bodies that nobody wants, expectations ----

with Raw() as c:
    c.send(HEALTH + "Content-Length: 5\r\n\r\nhello" + HEALTH + "\r\n")
    a = c.answer()
    ok("a body that nobody reads is not the next request", a and a[0] == 200 and a[1].get("connection") == "close" and c.ends(), a)
with Raw() as c:
    c.send("PUT /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000000\r\nExpect: 100-continue\r\n\r\n")
    a = c.answer()
    ok("what is refused gets no 100 Continue", a and a[0] == 405 and c.ends(), a)
says(HEALTH + "Expect: a miracle\r\n\r\n", 417, "expectation")

# ---- who asks ----

says("GET /account HTTP/1.1\r\nHost: h\r\n\r\n", 401, "unauthorized", closes=False)
for field in ("Authorization: Basic YTpi", "Authorization: basic YTpi", "Authorization: Digest username=\"a\", realm=\"b\"",
              "Authorization: Negotiate", "Authorization: x", "Authorization: Bearers a", "Authorization: Bearer " + "x" * 600):
    says("GET /account HTTP/1.1\r\nHost: h\r\n" + field + "\r\n\r\n", 401, "unauthorized", closes=False, what=repr(field[:40]))
    with Raw(ctx=context(CLIENT)) as c:
        c.send("GET /account HTTP/1.1\r\nHost: h\r\n" + field + "\r\n\r\n")
        a = c.answer()
        ok("... and says which would do, also to who has a certificate",
           a and a[0] == 401 and a[1].get("www-authenticate") == 'Bearer realm="dropkeep"', a)
for field in ("Authorization: Bearer", "Authorization: Bearer ", "Authorization:", "Authorization: \"x\" y", "Authorization: Bearer=x",
              "Authorization: Bearer a\r\nAuthorization: Bearer b", "Authorization: Basic YTpi\r\nAuthorization: Bearer one"):
    says("GET /account HTTP/1.1\r\nHost: h\r\n" + field + "\r\n\r\n", 400, "invalid", closes=False, what=repr(field[:40]))
with Raw() as c:
    for token, status in (("one", 200), ("nobody", 401), ("two", 200), ("two", 200), ("nobody", 401), ("nobody", 401)):
        c.send("GET /account HTTP/1.1\r\nHost: h\r\nAuthorization: bearer %s\r\n\r\n" % token)
        a = c.answer()
        ok("token %s: %d" % (token, status), a and a[0] == status, a)
    ok("401 says how", a[1].get("www-authenticate") == 'Bearer realm="dropkeep"', a)
with Raw(ctx=context(CLIENT)) as c:
    c.send("GET /account HTTP/1.1\r\nHost: h\r\n\r\n")
    a = c.answer()
    ok("a certificate that nobody has signed is taken", a and a[0] == 200, a)
    c.send("GET /account HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer nobody\r\n\r\n")
    a = c.answer()
    ok("with a token beside it, that counts", a and a[0] == 401, a)
with Raw() as c:
    c.send("POST /enroll/code HTTP/1.1\r\nHost: h\r\n\r\n")
    a = c.answer()
    ok("no enrolment without a certificate", a and a[0] == 400 and b"certificate-needed" in a[2], a)

# ---- TLS ----


def handshake(change):
    c = context()
    try:
        change(c)
        with Raw(ctx=c) as raw:
            return raw.tls.version(), raw.tls.cipher()[0]
    except (ssl.SSLError, ConnectionError, socket.timeout) as e:
        return None, e


def only(version, ciphers=None):
    def change(c):
        c.minimum_version = c.maximum_version = version
        if ciphers:
            c.set_ciphers(ciphers)
    return change


ok("TLS 1.3", handshake(only(ssl.TLSVersion.TLSv1_3))[0] == "TLSv1.3")
got = handshake(only(ssl.TLSVersion.TLSv1_2))
ok("TLS 1.2 with AEAD", got[0] == "TLSv1.2" and ("GCM" in got[1] or "CHACHA" in got[1]), got)
for old in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1):
    got = handshake(only(old, "DEFAULT@SECLEVEL=0"))
    ok("no %s" % old.name, got[0] is None, got)
for weak in ("ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "AES128-GCM-SHA256", "NULL@SECLEVEL=0"):
    try:
        got = handshake(only(ssl.TLSVersion.TLSv1_2, weak))
    except ValueError as e:
        got = (None, e)
    ok("no %s" % weak, got[0] is None, got)
for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    ctx = context()
    ctx.minimum_version = ctx.maximum_version = version
    with Raw(ctx=ctx) as c:
        c.send(HEALTH + "\r\n")
        c.answer()
        session = c.tls.session
    tcp = socket.create_connection(("127.0.0.1", PORT), PATIENCE)
    tls = ctx.wrap_socket(tcp, server_hostname="localhost", session=session)
    ok("a session is resumed, %s" % version.name, tls.session_reused)
    tls.close()
alpn = context()
alpn.set_alpn_protocols(["h2", "http/1.1"])
with Raw(ctx=alpn) as c:
    ok("ALPN chooses http/1.1", c.tls.selected_alpn_protocol() == "http/1.1")
tcp = socket.create_connection(("127.0.0.1", PORT), PATIENCE)
tcp.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
tcp.settimeout(PATIENCE)
try:
    got = tcp.recv(100)
except ConnectionError:
    got = b""
ok("no plain HTTP", not got.startswith(b"HTTP"), got)
tcp.close()

# ---- slow ones ----


def silent():
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", SLOW), PATIENCE) as raw:
        raw.settimeout(PATIENCE)
        ended = raw.recv(1) == b""
    return [("without a handshake the connection ends", ended and time.monotonic() - start < 10, "")]


def no_request():
    with Raw(SLOW) as c:
        return [("without a request, too", c.ends(), c.got)]


def half_a_head():
    with Raw(SLOW) as c:
        c.send(HEALTH)
        a = c.answer()
        return [("half a head: 408", a and a[0] == 408 and c.ends(), a)]


def drops():
    with Raw(SLOW) as c:
        start, a = time.monotonic(), None
        for i in HEALTH * 10:
            try:
                c.send(i)
            except (ConnectionError, ssl.SSLError):
                break
            time.sleep(0.1)
            if time.monotonic() - start > 15:
                break
        a = c.answer()
        return [("a head that comes drop by drop: 408", (a and a[0] == 408) or c.closed, a),
                ("after its time", time.monotonic() - start < 15, "")]


def idles():
    with Raw(SLOW) as c:
        c.send(HEALTH + "\r\n")
        a = c.answer()
        start = time.monotonic()
        good = a and a[0] == 200 and c.ends() and 1 < time.monotonic() - start < 15
        return [("an idle connection ends", good, a)]


# All at a time: each waits for the gate to lose its patience.
with concurrent.futures.ThreadPoolExecutor() as pool:
    for told in [pool.submit(one) for one in (silent, no_request, half_a_head, drops, idles)]:
        for what, good, why in told.result():
            ok(what, good, why)

slow = []
for i in range(200):
    slow.append(Raw())
stop = threading.Event()


def drip():
    text = HEALTH + "X: " + "a" * 1000
    for i in text:
        for c in slow:
            try:
                c.send(i)
            except (OSError, ssl.SSLError):
                pass
        if stop.wait(1):
            return


t = threading.Thread(target=drip)
t.start()
times = []
for i in range(20):
    with Raw() as c:
        start = time.monotonic()
        c.send(ACCOUNT + "\r\n")
        a = c.answer()
        times.append(time.monotonic() - start)
        if not a or a[0] != 200:
            times.append(PATIENCE)
stop.set()
t.join()
ok("two hundred slow ones keep nobody waiting", max(times) < 5, times)
for c in slow:
    c.tls.close()


def resident():
    with open("/proc/%s/status" % GATE, encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])


def idle(count):
    """Connections that have had an answer and wait."""
    made = []
    for _ in range(count):
        c = Raw()
        c.send(ACCOUNT + "\r\n")
        c.answer()
        made.append(c)
    return made


IDLE = 1000
first = idle(100)
before = resident()
many = idle(IDLE)
each = (resident() - before) / IDLE
if os.environ.get("ASAN_OPTIONS"):
    ok("an idle connection costs less than 40 KiB # SKIP sanitizers have another idea of it", True)
else:
    ok("an idle connection costs less than 40 KiB", each < 40, each)
print("# an idle connection costs %.1f KiB" % each, flush=True)
for c in first + many:
    c.tls.close()
with Raw() as c:
    c.send(HEALTH + "\r\n")
    a = c.answer()
    ok("the gate is as it was", a and a[0] == 200, a)
