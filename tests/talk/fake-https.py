#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A server of dropkeep's HTTPS that goes wrong on command: python3 fake-https.py FOLDER PORT.

It keeps its files in memory, knows one user, and takes everybody for that: it asks for no
certificate (OpenSSL under Python would want to verify it), which the real server's tests do. FOLDER gets tls.pem, enroll.url, log.vkey and,
for each finished upload, what arrived (sent/N). Commands come on standard input, a line each,
and are answered by one on standard output:

    fault NAME [VALUE]  from now on: see FAULTS
    well                no faults any more
    file PATH TEXT      a file is there (TEXT has backslash escapes)
    folder PATH         so is a folder
    code CODE           this code enrols, once
    state               the uploads that are unfinished, as JSON
    quit
"""
import base64
import datetime
import hashlib
import http.server
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

FAULTS = {
    "cut",           # the connection ends after so many bytes of a body, either way
    "busy",          # so many requests get a 503
    "hash",          # the hash of an upload is another's
    "offset",        # HEAD of an upload says this offset
    "names",         # listings have these names (JSON array) beside the others
    "content",       # downloads have a byte changed
    "longer",        # downloads have more than they should
    "range",         # 206 with another part
    "receipt",       # "other": of another file; "forged": signed by another key; "opened": to lies
    "forget",        # uploads are forgotten before their HEAD
    "garbage",       # no HTTP, but this
    "json",          # JSON answers are this
    "headers",       # so many header lines more in each answer
    "refuse",        # uploads are refused with this status
    "silent",        # the answer to a finished PATCH is never sent: the connection ends
    "mute",          # nor is that to a DELETE of a file, which is done
    "log",           # there is none to be seen
    "rolled",        # the checkpoint is one of a log with so many records
    "tile",          # the hashes of tiles are others
    "rewritten",     # the log is another one, signed by the same key
}
ORIGIN = "fake.example/log"
ZONE = "acme"


def b64(data, pad=True):
    text = base64.b64encode(data).decode()
    return text if pad else text.rstrip("=")


def sha(data):
    return hashlib.sha256(data).digest()


class Log:
    """Records, and the C2SP proofs about them."""

    def __init__(self, key):
        self.key, self.lines = key, []

    def public(self):
        return self.key.public_key().public_bytes(serialization.Encoding.Raw,
                                                  serialization.PublicFormat.Raw)

    def key_id(self):
        return sha(ORIGIN.encode() + b"\n\x01" + self.public())[:4]

    def vkey(self):
        return f"{ORIGIN}+{self.key_id().hex()}+" + b64(b"\x01" + self.public())

    def leaves(self, n):
        return [sha(b"\0" + line.encode()) for line in self.lines[:n]]

    def root(self, leaves):
        if not leaves:
            return sha(b"")
        if len(leaves) == 1:
            return leaves[0]
        k = 1 << (len(leaves) - 1).bit_length() - 1
        return sha(b"\1" + self.root(leaves[:k]) + self.root(leaves[k:]))

    def path(self, i, leaves):
        if len(leaves) == 1:
            return []
        k = 1 << (len(leaves) - 1).bit_length() - 1
        if i < k:
            return self.path(i, leaves[:k]) + [self.root(leaves[k:])]
        return self.path(i - k, leaves[k:]) + [self.root(leaves[:k])]

    def checkpoint(self, n, key=None):
        text = f"{ORIGIN}\n{n}\n{b64(self.root(self.leaves(n)))}\n"
        signature = (key or self.key).sign(text.encode())
        return f"{text}\n\u2014 {ORIGIN} {b64(self.key_id() + signature)}\n"

    def proof(self, i, extra, key=None):
        n = len(self.lines)
        lines = ["c2sp.org/tlog-proof@v1", "extra " + b64(extra), f"index {i}"]
        lines += [b64(h) for h in self.path(i, self.leaves(n))]
        return "\n".join(lines) + "\n\n" + self.checkpoint(n, key)

    def tile(self, level, index, width):
        hashes_ = []
        for i in range(index * 256, index * 256 + width):
            span = 256 ** level
            hashes_.append(self.root(self.leaves(len(self.lines))[i * span:(i + 1) * span]))
        return b"".join(hashes_)


class World:
    def __init__(self, folder):
        self.folder, self.lock = folder, threading.RLock()
        self.faults, self.files, self.folders = {}, {}, {f"/{ZONE}", f"/{ZONE}/incoming",
                                                        f"/{ZONE}/deliverables"}
        self.uploads, self.receipts, self.sent = {}, {}, 0
        self.code = "c0de" + os.urandom(12).hex()
        self.log = Log(ed25519.Ed25519PrivateKey.generate())
        self.other = ed25519.Ed25519PrivateKey.generate()
        self.log.lines += [f'{{"v":1,"seq":{i}}}' for i in range(3)]

    def record(self, path, data):
        """The record of an upload, as FORMAT.audit.md has it; the receipt's number."""
        salts = os.urandom(32), os.urandom(32)
        values = path.encode(), sha(data)
        members = {}
        opened = {}
        for name, salt, value in zip(("path", "sha256"), salts, values):
            members[name] = {"commitment": b64(sha(salt + value), False), "sealed": "AAAA"}
            opened[name] = {"salt": b64(salt, False), "value": b64(value, False)}
        n = len(self.log.lines)
        line = json.dumps({"v": 1, "seq": n, "time": "2026-11-27T12:00:00.000000Z",
                           "node": "fake", "actor": "anna", "event": "upload.complete",
                           "outcome": "ok", "zone": ZONE, "size": len(data), **members},
                          separators=(",", ":"))
        self.log.lines.append(line)
        self.receipts[n] = {"record": line, **opened}
        return n

    def publish(self, path, data, mtime):
        self.files[path] = (data, mtime, sha(data))
        self.sent += 1
        os.makedirs(self.folder + "/sent", exist_ok=True)
        with open(f"{self.folder}/sent/{self.sent}", "wb") as f:
            f.write(data)
        return self.record(path, data)


class Cut(Exception):
    pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world = None

    def log_message(self, *args):
        pass

    def version_string(self):
        return ""

    # --- answers -------------------------------------------------------------------------

    def answer(self, status, body=b"", headers=(), kind="application/json"):
        if "garbage" in self.world.faults:
            self.wfile.write(self.world.faults["garbage"].encode().decode("unicode_escape")
                             .encode("latin-1"))
            raise Cut
        if kind == "application/json" and "json" in self.world.faults:
            body = self.world.faults["json"].encode()
        self.send_response_only(status)
        self.send_header("Date", self.date_time_string())
        for i in range(int(self.world.faults.get("headers", 0))):
            self.send_header(f"X-More-{i}", "x")
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Type", kind)
        if not any(name == "Content-Length" for name, value in headers) and status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.send(body)

    def send(self, body):
        cut = self.world.faults.get("cut")
        if cut is None or len(body) <= int(cut):
            self.wfile.write(body)
            return
        self.wfile.write(body[:int(cut)])
        raise Cut

    def problem(self, status, word, title, detail=None):
        said = {"type": "urn:dropkeep:problem:" + word, "title": title, "status": status}
        if detail:
            said["detail"] = detail
        self.answer(status, json.dumps(said).encode(), kind="application/problem+json")

    def body(self, sink):
        """The request's body to sink, piece by piece, until it ends or a fault cuts it."""
        left, cut = int(self.headers.get("Content-Length", 0)), self.world.faults.get("cut")
        done = 0
        while left:
            want = min(left, 65536)
            if cut is not None:
                want = min(want, int(cut) - done)
                if want <= 0:
                    raise Cut
            data = self.rfile.read1(want)
            if not data:
                raise Cut
            sink(data)
            left -= len(data)
            done += len(data)

    # --- requests ------------------------------------------------------------------------

    def handle_expect_100(self):
        if "refuse" in self.world.faults:
            return True
        return super().handle_expect_100()

    def serve(self):
        url = urllib.parse.urlsplit(self.path)
        self.url_path = urllib.parse.unquote(url.path)
        self.query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
        try:
            if int(self.world.faults.get("busy", 0)) > 0:
                self.world.faults["busy"] = int(self.world.faults["busy"]) - 1
                self.close_connection = True
                self.answer(503, b"{}", [("Retry-After", "0"), ("Connection", "close")])
                return
            for prefix, what in (("/files", self.on_files), ("/uploads", self.on_uploads),
                                 ("/receipts/", self.on_receipt), ("/account", self.on_account),
                                 ("/enroll/", self.on_enroll), ("/log/", self.on_log)):
                if self.url_path.startswith(prefix):
                    return what()
            self.problem(404, "not-found", "no such file")
        except (Cut, OSError):
            self.close_connection = True
            try:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                           struct.pack("ii", 1, 0))
                self.connection.close()
            except OSError:
                pass

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_MOVE = serve

    def on_enroll(self):
        w = self.world
        if self.url_path != "/enroll/" + w.code:
            return self.problem(404, "not-found", "no such code")
        w.code = ""
        self.answer(200, json.dumps({"user": "anna", "home": f"/{ZONE}", "log": {
            "origin": ORIGIN, "key": w.log.vkey()}}).encode())

    def on_account(self):
        self.answer(200, json.dumps({
            "user": "anna", "role": "client", "method": "certificate", "home": f"/{ZONE}",
            "zones": [{"zone": ZONE, "quota": 1 << 30, "used": 1 << 20, "free": 1023 << 20,
                       "grants": [{"prefix": "incoming", "rights": "w"}]}]}).encode())

    def hash_headers(self, digest):
        if "hash" in self.world.faults:
            digest = sha(digest)
        return [("ETag", f'"{digest.hex()}"'), ("Repr-Digest", f"sha-256=:{b64(digest)}:")]

    def done_headers(self, data, record):
        return self.hash_headers(sha(data)) + [("Link", f'</receipts/{record}>; rel="receipt"')]

    def on_files(self):
        path = self.url_path[len("/files"):]
        if "refuse" in self.world.faults and self.command == "PUT":
            self.close_connection = True
            return self.problem(int(self.world.faults["refuse"]), "quota", "quota exceeded",
                                "zone \u001b]0;x\u0007 is full")
        if self.command == "PUT":
            return self.put(path)
        if "mkdir" in self.query:
            path = path.rstrip("/")
            if path in self.world.folders:
                return self.problem(409, "exists", "exists already")
            self.world.folders.add(path)
            return self.answer(201)
        if self.command == "DELETE":
            return self.delete(path)
        if self.command == "MOVE":
            return self.move(path)
        if path.endswith("/"):
            return self.listing(path.rstrip("/"))
        return self.download(path)

    def put(self, path):
        data = bytearray()
        self.body(data.extend)
        digest = self.headers.get("Repr-Digest")
        if digest and digest != f"sha-256=:{b64(sha(data))}:":
            return self.problem(400, "digest-mismatch", "not what its digest says")
        with self.world.lock:
            record = self.world.publish(path, bytes(data), time.time())
        self.answer(201, b"", self.done_headers(bytes(data), record))

    def delete(self, path):
        w = self.world
        if path.endswith("/"):
            path = path.rstrip("/")
            if path not in w.folders:
                return self.problem(404, "not-found", "no such file")
            if any(p.startswith(path + "/") for p in [*w.files, *w.folders]):
                return self.problem(409, "not-empty", "folder is not empty")
            w.folders.discard(path)
            return self.answer(204)
        if path not in w.files:
            return self.problem(404, "not-found", "no such file")
        del w.files[path]
        if "mute" in w.faults:
            raise Cut
        self.answer(204)

    def move(self, path):
        w, to = self.world, urllib.parse.unquote(self.headers["Destination"])[len("/files"):]
        if path not in w.files:
            return self.problem(404, "not-found", "no such file")
        if to in w.files and self.headers.get("Overwrite") == "F":
            return self.problem(412, "precondition", "it is there")
        w.files[to] = w.files.pop(path)
        self.answer(204)

    def listing(self, path):
        w, entries = self.world, []
        if path and path not in w.folders:
            return self.problem(404, "not-found", "no such file")
        for p in sorted(w.folders):
            if os.path.dirname(p) == (path or "/"):
                entries.append({"name": os.path.basename(p), "type": "folder",
                                "modified": "2026-11-27T09:01:00Z", "owner": "-", "rights": "l"})
        for p, (data, mtime, digest) in sorted(w.files.items()):
            if os.path.dirname(p) == path:
                when = datetime.datetime.fromtimestamp(mtime, datetime.timezone.utc)
                entries.append({"name": os.path.basename(p), "type": "file", "size": len(data),
                                "modified": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
                                "sha256": digest.hex(), "owner": "anna", "rights": "lrd"})
        if path in w.folders:
            for name in json.loads(w.faults.get("names", "[]")):
                entries.append({"name": name, "type": "file", "size": 4, "sha256": sha(b"evil").hex(),
                                "modified": "2026-11-27T09:01:00Z", "owner": "eve", "rights": "lr"})
        self.answer(200, json.dumps({"path": path + "/", "entries": entries}).encode())

    def download(self, path):
        w = self.world
        if path not in w.files:
            return self.problem(404, "not-found", "no such file")
        data, mtime, digest = w.files[path]
        headers = self.hash_headers(digest) + [
            ("Last-Modified", self.date_time_string(mtime)), ("Accept-Ranges", "bytes")]
        first, status, whole = 0, 200, len(data)
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes=") and self.headers.get("If-Range") == f'"{digest.hex()}"':
            first, status = int(wanted[6:].split("-")[0]), 206
            if first >= whole:
                return self.answer(416, b"", [("Content-Range", f"bytes */{whole}")])
            shown = first + 1 if "range" in w.faults else first
            headers.append(("Content-Range", f"bytes {shown}-{whole - 1}/{whole}"))
        if "content" in w.faults:
            data = data[:-1] + bytes([data[-1] ^ 1])
        if "longer" in w.faults:
            data += b"more"
        self.answer(status, data[first:], headers + [("Content-Length", str(len(data) - first))],
                    "application/octet-stream")

    # --- tus -----------------------------------------------------------------------------

    def on_uploads(self):
        w = self.world
        if self.command == "POST":
            return self.create()
        if self.command == "GET":
            for name, u in w.uploads.items():
                if u["path"] == self.query.get("path", [""])[0] and not u["done"]:
                    return self.answer(200, json.dumps({
                        "upload": name, "path": u["path"], "offset": len(u["data"]),
                        "length": u["length"], "expires": None}).encode())
            return self.problem(404, "not-found", "no such upload")
        if "forget" in w.faults and self.command == "HEAD":
            w.uploads.pop(self.url_path, None)
        if self.url_path not in w.uploads:
            return self.problem(404, "not-found", "no such upload")
        u = w.uploads[self.url_path]
        with u["lock"]:
            return {"HEAD": self.tell, "PATCH": self.more, "DELETE": self.drop}[self.command](u)

    def create(self):
        w = self.world
        if "refuse" in w.faults:
            return self.problem(int(w.faults["refuse"]), "quota", "quota exceeded")
        metadata = dict(pair.split(" ") for pair in self.headers["Upload-Metadata"].split(","))
        length = self.headers.get("Upload-Length")
        u = {"path": base64.b64decode(metadata["path"]).decode(), "data": bytearray(),
             "length": int(length) if length else None, "done": None, "lock": threading.Lock(),
             "mtime": int(base64.b64decode(metadata["mtime"]))}
        name = "/uploads/" + os.urandom(16).hex()
        with w.lock:
            if any(o["path"] == u["path"] and not o["done"] for o in w.uploads.values()):
                return self.problem(409, "unfinished", "unfinished: resume or remove")
            w.uploads[name] = u
        self.answer(201, b"", [("Location", name), ("Tus-Resumable", "1.0.0"),
                               ("Upload-Offset", "0")])

    def tell(self, u):
        offset = self.world.faults.get("offset", len(u["data"]))
        headers = [("Upload-Offset", str(offset)), ("Tus-Resumable", "1.0.0"),
                   ("Cache-Control", "no-store")]
        if u["length"] is not None:
            headers.append(("Upload-Length", str(u["length"])))
        if u["done"]:
            headers.append(("Link", f'</receipts/{u["done"]}>; rel="receipt"'))
        self.answer(200, b"", headers)

    def more(self, u):
        w = self.world
        if int(self.headers["Upload-Offset"]) != len(u["data"]):
            return self.problem(409, "offset", "not where the upload is")
        if self.headers.get("Upload-Length"):
            u["length"] = int(self.headers["Upload-Length"])
        self.body(u["data"].extend)
        headers = [("Upload-Offset", str(len(u["data"]))), ("Tus-Resumable", "1.0.0")]
        if u["length"] == len(u["data"]):
            with w.lock:
                u["done"] = w.publish(u["path"], bytes(u["data"]), u["mtime"])
            headers += self.done_headers(bytes(u["data"]), u["done"])
            if "silent" in w.faults:
                del w.faults["silent"]
                raise Cut
        self.answer(204, b"", headers)

    def drop(self, u):
        self.world.uploads.pop(self.url_path)
        self.answer(204)

    # --- the log -------------------------------------------------------------------------

    def on_receipt(self):
        w = self.world
        n = int(self.url_path[len("/receipts/"):])
        if n not in w.receipts:
            return self.problem(404, "not-found", "no such receipt")
        fault, extra = w.faults.get("receipt"), w.receipts[n]
        if fault == "other":
            n = w.record(f"/{ZONE}/incoming/other", b"other")
            extra = w.receipts[n]
        if fault == "opened":
            extra = {**extra, "path": {**extra["path"], "value": b64(b"/acme/x", False)}}
        self.answer(200, w.log.proof(n, json.dumps(extra).encode(),
                                     w.other if fault == "forged" else None).encode(),
                    kind="text/plain")

    def on_log(self):
        w, parts = self.world, self.url_path.split("/")[2:]
        log = w.log
        if "log" in w.faults:
            return self.problem(404, "not-found", "no such file")
        if "rewritten" in w.faults:
            log = Log(w.log.key)
            log.lines = ["other" + line for line in w.log.lines]
        if parts == ["checkpoint"]:
            size = int(w.faults.get("rolled", len(log.lines)))
            return self.answer(200, log.checkpoint(size).encode(), kind="text/plain")
        level, index, width = int(parts[1]), int(parts[2].split(".")[0]), 256
        if len(parts) > 3:
            width = int(parts[3])
        tile = log.tile(level, index, width)
        if "tile" in w.faults:
            tile = bytes(b ^ 1 for b in tile)
        self.answer(200, tile, kind="application/octet-stream")


def make_certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fake")])
    now = datetime.datetime(2020, 1, 1)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                   .public_key(key.public_key()).serial_number(1).not_valid_before(now)
                   .not_valid_after(datetime.datetime(2120, 1, 1)).sign(key, hashes.SHA256()))
    with open(folder + "/tls.pem", "wb") as f:
        f.write(key.private_bytes(serialization.Encoding.PEM,
                                  serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption()))
        f.write(certificate.public_bytes(serialization.Encoding.PEM))
    spki = key.public_key().public_bytes(serialization.Encoding.DER,
                                         serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.urlsafe_b64encode(sha(spki)).decode().rstrip("=")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def finish_request(self, request, address):
        request.settimeout(60)
        with self.context.wrap_socket(request, server_side=True) as secure:
            secure.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            super().finish_request(secure, address)

    def handle_error(self, request, address):
        if os.environ.get("FAKE_TELLS"):
            super().handle_error(request, address)


def obey(world, line):
    words = line.rstrip("\n").split(" ", 2)
    with world.lock:
        if words[0] == "fault":
            assert words[1] in FAULTS
            world.faults[words[1]] = words[2] if len(words) > 2 else "1"
        elif words[0] == "well":
            world.faults.clear()
        elif words[0] == "file":
            data = words[2].encode().decode("unicode_escape").encode("latin-1")
            world.files[words[1]] = (data, 1700000000, sha(data))
        elif words[0] == "folder":
            world.folders.add(words[1])
        elif words[0] == "state":
            return json.dumps([[u["path"], len(u["data"])] for u in world.uploads.values()
                               if not u["done"]])
        elif words[0] == "code":
            world.code = words[1]
    return "done"


def main():
    folder, port = sys.argv[1], int(sys.argv[2])
    world = World(folder)
    pin = make_certificate(folder)
    Handler.world = world
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + "/tls.pem")
    server = Server(("127.0.0.1", port), Handler)
    server.context = context
    with open(folder + "/enroll.url", "w") as f:
        f.write(f"https://127.0.0.1:{port}/enroll/{world.code}#spki={pin}\n")
    with open(folder + "/log.vkey", "w") as f:
        f.write(world.log.vkey() + "\n")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    for line in sys.stdin:
        if line.startswith("quit"):
            break
        print(obey(world, line), flush=True)


main()
