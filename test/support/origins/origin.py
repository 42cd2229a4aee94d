"""An origin as people write it with Python's http.server: HTTP/1.1 with keep-alive.

GET and its like do not read a body, as hardly any handler does; POST reads what Content-Length says and knows nothing
of chunks. Each request that the parser took, and each that it refused, is a line of JSON on standard output.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def say(**record):
    # One write a line: handlers of several connections share the stream.
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A connection on which nothing comes is given up, so that a test which ends leaves no thread.
    timeout = 10

    def answer(self, body=b""):
        fields = [[name, value] for name, value in self.headers.items()]
        say(method=self.command, target=self.path, body=body.decode("latin-1"), fields=fields)
        text = f"{self.command} {self.path}\n".encode("latin-1")
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def unread(self):
        self.answer()

    def read(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    do_GET = do_HEAD = do_DELETE = do_OPTIONS = unread
    do_POST = do_PUT = do_PATCH = read

    def send_error(self, code, *rest, **named):
        say(method="", target=getattr(self, "requestline", ""), body="", fields=[["error", str(code)]])
        super().send_error(code, *rest, **named)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
server.daemon_threads = True
server.serve_forever()
