"""A host outside: answers HTTP, HTTPS, TCP and gRPC, and writes down who asked what.

`python -m tests.cluster.bed.outside_server NAME LOG CERTIFICATE KEY AUTHORITY PROTOCOL:PORT...`, with a protocol of
`http`; `https`, `https-1.2` (TLS 1.2 and nothing newer), `https-1.3` (nothing older), `mutual` (for clients with a
certificate of AUTHORITY); `openid`; `grpc` and `grpcs`; `tcp`, which greets, and `echo`, which sends back what comes.
Every line of the log is a JSON object with `event` (`request` or `connection`), `protocol`, `port`, `peer` (the
address that asked), and of a request also `method`, `path`, `headers`, `size`, and of TLS `sni`, `client` and `tls`.
"""

import signal
import socketserver
import ssl
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from tests.cluster.bed.openid_provider import OpenIdProvider
from tests.cluster.bed.outside_http import HttpHost, write


def _tcp(name: str, log: Path, port: int, *, echo: bool) -> None:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            peer = self.client_address[0]
            write(log, event="connection", protocol="echo" if echo else "tcp", port=port, peer=peer)
            if not echo:
                self.wfile.write(f"{name} saw {peer}\n".encode())
                return
            while data := self.connection.recv(4096):
                self.connection.sendall(data)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    Server(("", port), Handler).serve_forever()


def _grpc(name: str, log: Path, port: int, credentials: grpc.ServerCredentials | None = None) -> None:
    class Everything(grpc.GenericRpcHandler):
        def service(self, handler_call_details: Any) -> Any:
            def answer(_request: bytes, context: Any) -> bytes:
                peer = context.peer().removeprefix("ipv4:").rpartition(":")[0]
                write(
                    log,
                    event="request",
                    protocol="grpc",
                    port=port,
                    peer=peer,
                    path=handler_call_details.method,
                    headers={},
                )
                return f"{name} saw {peer}\n".encode()

            make: Any = grpc.unary_unary_rpc_method_handler
            return make(answer)

    server = grpc.server(ThreadPoolExecutor(4), handlers=[Everything()])
    if credentials is None:
        server.add_insecure_port(f"0.0.0.0:{port}")
    else:
        server.add_secure_port(f"0.0.0.0:{port}", credentials)
    server.start()
    server.wait_for_termination()


def _context(certificate: str, key: str, authority: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    if authority is not None:
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED

    def remember(connection: Any, sni: str | None, _context: ssl.SSLContext) -> None:
        connection.sni = sni

    context.sni_callback = remember
    return context


def _bounded(context: ssl.SSLContext, version: ssl.TLSVersion) -> ssl.SSLContext:
    context.minimum_version = context.maximum_version = version
    return context


@dataclass(frozen=True, kw_only=True)
class _Host:
    name: str
    log: Path
    certificate: str
    key: str
    authority: str

    def serve(self, listener: str) -> None:
        """Answer on one port for ever."""
        kind, _, port = listener.partition(":")
        if kind in {"tcp", "echo"}:
            _tcp(self.name, self.log, int(port), echo=kind == "echo")
        elif kind in {"grpc", "grpcs"}:
            pair = (Path(self.key).read_bytes(), Path(self.certificate).read_bytes())
            _grpc(self.name, self.log, int(port), grpc.ssl_server_credentials([pair]) if kind == "grpcs" else None)
        else:
            answering = OpenIdProvider().answer if kind == "openid" else None
            HttpHost(self.name, self.log, int(port), self._tls(kind), answering).serve_forever()

    def _tls(self, kind: str) -> ssl.SSLContext | None:
        """How a listener of HTTP shakes hands; `None` if it does not.

        Raises:
            ValueError: no host speaks this.
        """
        match kind:
            case "http":
                return None
            case "https" | "openid":
                return _context(self.certificate, self.key)
            case "https-1.2":
                return _bounded(_context(self.certificate, self.key), ssl.TLSVersion.TLSv1_2)
            case "https-1.3":
                return _bounded(_context(self.certificate, self.key), ssl.TLSVersion.TLSv1_3)
            case "mutual":
                return _context(self.certificate, self.key, self.authority)
            case _:
                raise ValueError(f"no host outside speaks {kind}")


if __name__ == "__main__":
    named, log_file, *files = sys.argv[1:6]
    host = _Host(name=named, log=Path(log_file), certificate=files[0], key=files[1], authority=files[2])
    for each in sys.argv[6:]:
        threading.Thread(target=host.serve, args=(each,), daemon=True).start()
    signal.pause()  # gRPC's threads work only as long as the main one does
