"""Serves the stand-in by HTTPS on this machine: one port for all products, as their calls differ anyway."""

import json
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import parse_qsl, urlsplit

from tests.engine.alibaba.api import Answer
from tests.engine.alibaba.cloud import AlibabaCloud
from tests.offline_objects import certificate_and_key

_HOST: Final = "localhost"
_PRODUCTS: Final = ("VPC", "ECS", "CS", "CLOUDFW", "STS", "LOCATION", "BSSOPENAPI")
"""Also those that nobody asks: the plugin must not find a way to the real ones."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """Where the stand-in is."""

    endpoint: str
    """Host and port."""
    authority: Path
    """A file with the certificate that vouches for it."""

    @property
    def environment(self) -> dict[str, str]:
        """What has the plugin ask the stand-in, and believe it."""
        return {
            **{f"ALIBABA_CLOUD_ENDPOINT_{product}": self.endpoint for product in _PRODUCTS},
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "stand-in",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "stand-in",
            "SSL_CERT_FILE": str(self.authority),
        }


@contextmanager
def serving(cloud: AlibabaCloud, folder: Path) -> Generator[Served]:
    """Serve until the end of the block; `folder` is for the certificate."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "ca.pem", folder / "key.pem"
    for file, text in zip((certificate, key), certificate_and_key(_HOST), strict=True):
        file.write_text(text, encoding="utf-8")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with _Server(cloud) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield Served(endpoint=f"{_HOST}:{server.server_address[1]}", authority=certificate)
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, cloud: AlibabaCloud) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.cloud, self.lock = cloud, threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class gives it
        """Say nothing: there is a log of calls."""

    def do_GET(self) -> None:
        self._serve()

    do_DELETE = do_POST = do_PUT = do_GET  # noqa: N815 - the library's names

    def _serve(self) -> None:
        server = cast("_Server", self.server)
        url, body = urlsplit(self.path), self._body()
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        if "Action" in query:
            said = {**query, **dict(parse_qsl(body.decode(), keep_blank_values=True))}
            with server.lock:
                status, answer = server.cloud.rpc(said.pop("Action"), said)
        else:
            with server.lock:
                status, answer = server.cloud.roa(self.command, url.path, query, json.loads(body or b"{}"))
        self._answer(status, answer)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts: list[bytes] = []
        while size := int(self.rfile.readline().strip() or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, answer: Answer) -> None:
        content = json.dumps(answer).encode()
        self.send_response(HTTPStatus(status))
        self.send_header("Content-Type", "application/json;charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
