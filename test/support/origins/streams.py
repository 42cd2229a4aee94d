"""A service as people write it with Python's http.server: it takes uploads, streams both ways, and sends events."""

import hashlib
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Streams(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def text(self, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def begin(self, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def piece(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def do_GET(self):
        if self.path != "/events":
            return self.text(str(self.client_address[1]))
        self.begin("text/event-stream")
        for number in range(3):
            self.piece(b"data: %d\n\n" % number)
            time.sleep(0.3)
        self.piece(b"")

    def do_POST(self):
        left = int(self.headers["Content-Length"])
        if self.path == "/echo":
            # Answers each piece before the next one is there.
            self.begin("application/octet-stream")
            while left > 0:
                data = self.rfile.read1(min(left, 65536))
                left -= len(data)
                self.piece(data)
            return self.piece(b"")
        digest = hashlib.sha256()
        while left > 0:
            data = self.rfile.read(min(left, 65536))
            left -= len(data)
            digest.update(data)
        self.text(digest.hexdigest())

    def log_message(self, *_):
        pass


ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Streams).serve_forever()
