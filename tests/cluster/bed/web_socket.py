"""WebSockets (RFC 6455), as far as an echo needs them: one text a frame, of less than 126 bytes.

As a program, `python -m tests.cluster.bed.web_socket ADDRESS PORT HOST PATH TEXT` asks for a WebSocket, sends the text
and prints what comes back; where it gets no WebSocket, it prints the status line instead, and ends with 1.
"""

import base64
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Final

from tests.cluster.bed.pods import Pod

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT: Final = 0x81
"""A whole message of text in one frame."""
_MASKED: Final = 0x80
_LONGEST: Final = 125
_SECONDS: Final = 10


def accepted(key: str) -> str:
    """What a server answers to `sec-websocket-key`."""
    digest = hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def frame(text: bytes, mask: bytes = b"") -> bytes:
    """A frame with a text; a client masks with four bytes, a server does not.

    Raises:
        ValueError: the text is too long for this.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"{len(text)} bytes; at most {_LONGEST} go into a short frame")
    if not mask:
        return bytes((_TEXT, len(text))) + text
    return bytes((_TEXT, _MASKED | len(text))) + mask + _masked(text, mask)


def read_frame(read: Callable[[int], bytes]) -> bytes | None:
    """The text of the next frame; `None` where the other side has ended, or sends another kind of frame."""
    head = read(2)
    if len(head) != 2 or head[0] != _TEXT or head[1] & ~_MASKED > _LONGEST:
        return None
    mask = read(4) if head[1] & _MASKED else b"\0\0\0\0"
    return _masked(read(head[1] & ~_MASKED), mask)


def echoed(pod: Pod, address: str, port: int, host: str, *, path: str = "/", text: str = "hello") -> str:
    """What comes back through a WebSocket that a pod opens; a status line where it gets none.

    Args:
        pod: from whose network it is opened.
        address: where to, an address: the pod's names are not asked.
        port: where to.
        host: for the header.
        path: what is asked for.
        text: what is sent.
    """
    entered = ("nsenter", f"--target={pod.pid('app')}", "--net", "--")
    command = [*entered, sys.executable, "-m", "tests.cluster.bed.web_socket", address, str(port), host, path, text]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3 * _SECONDS)
    return done.stdout.strip() or done.stderr.strip()


def _masked(text: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))


def _ask(address: str, port: int, host: str, path: str, text: str) -> int:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1",
        f"host: {host}",
        "connection: Upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        f"sec-websocket-key: {key}",
    ]
    with socket.create_connection((address, port), timeout=_SECONDS) as connection, connection.makefile("rb") as stream:
        connection.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
        status, *headers = iter(lambda: stream.readline().decode().strip(), "")
        if f"sec-websocket-accept: {accepted(key)}".lower() not in [each.lower() for each in headers]:
            print(status)
            return 1
        connection.sendall(frame(text.encode(), os.urandom(4)))
        print((read_frame(stream.read) or b"").decode())
        return 0


if __name__ == "__main__":
    to, number, name, asked, sent = sys.argv[1:]
    sys.exit(_ask(to, int(number), name, asked, sent))
