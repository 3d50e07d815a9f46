"""Serves GET / to keys with the scope orders:read, by the standard library alone (Python 3.9).

    BASE=http://localhost:3000 KEY_ACCESS_TOKEN=… PORT=4000 python3 examples/verifying/verifier.py

KEY_ACCESS_TOKEN is the token of a key with the scope tokens:introspect:orders. Each thread has a connection of its own,
which is kept open. A token is accepted only if the service confirms it: every failure raises Unavailable.
"""

import http.client
import json
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

TOKEN = re.compile(r"[\w.~+/-]{1,4096}=*", re.ASCII)
BEARER = re.compile(r"Bearer +(\S+)", re.IGNORECASE)
# The connection was closed while it was idle, so the service hasn't received the request.
STALE = (ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected)


class Unavailable(Exception):
    """The service couldn't be asked. Refuse the request, with status 503."""


class Verifier:
    def __init__(self, url, key_access_token, service, timeout=2):
        parts = urlsplit(url)
        self._connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._address = (parts.hostname, parts.port)
        self._path = parts.path.rstrip("/") + "/introspect/batch"
        self._headers = {"Authorization": f"Bearer {key_access_token}", "Content-Type": "application/json"}
        self._service = service
        self._timeout = timeout
        self._local = threading.local()

    def verify(self, token, scope, ip=None):
        """Returns the key as a dict, or the reason as a string: inactive, or insufficient_scope."""
        if not TOKEN.fullmatch(token or ""):
            return "inactive"
        entry = {"token": token, "scope": scope, "scope_error": True, **({"ip": ip} if ip else {})}
        try:
            status, body = self._post(json.dumps([entry]))
            if status != 200:
                raise ValueError(f"status {status}")
            [verdict] = json.loads(body)
            if verdict["active"] is True and scope in verdict["scope"].split(" "):
                return verdict
            if verdict["active"] is False:
                return "insufficient_scope" if verdict.get("error") == "insufficient_scope" else "inactive"
            raise ValueError("malformed reply")
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, AttributeError) as error:
            self._drop()
            raise Unavailable(f"the service can't be asked: {type(error).__name__}") from error

    def _post(self, body):
        is_reused = hasattr(self._local, "connection")
        try:
            return self._send(body)
        except STALE:
            self._drop()
            if not is_reused:
                raise
            return self._send(body)

    def _send(self, body):
        if not hasattr(self._local, "connection"):
            self._local.connection = self._connect(*self._address, timeout=self._timeout)
        self._local.connection.request("POST", self._path, body, self._headers)
        response = self._local.connection.getresponse()
        return response.status, response.read()

    def _drop(self):
        if hasattr(self._local, "connection"):
            self._local.connection.close()
            del self._local.connection


class Orders(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        bearer = BEARER.fullmatch(self.headers.get("Authorization") or "")
        try:
            verdict = verifier.verify(bearer and bearer[1], "orders:read", self.client_address[0])
        except Unavailable:
            self._reply(503)
            return
        if isinstance(verdict, dict):
            self._reply(200, {"key": verdict["username"]})
        else:
            self._reply(401 if verdict == "inactive" else 403)

    def _reply(self, status, content=None):
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    verifier = Verifier(os.environ["BASE"], os.environ["KEY_ACCESS_TOKEN"], "orders")
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "4000"))), Orders).serve_forever()
