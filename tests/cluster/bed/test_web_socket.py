"""Frames of WebSockets, against the examples of RFC 6455."""

import io

import pytest

from tests.cluster.bed.web_socket import accepted, frame, read_frame


def test_the_answer_to_a_key() -> None:
    """Guards against a handshake that only our own client believes: the example of section 1.3."""
    assert accepted("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize(
    ("mask", "expected"), [(b"", "810548656c6c6f"), (bytes.fromhex("37fa213d"), "818537fa213d7f9f4d5158")]
)
def test_frames(mask: bytes, expected: str) -> None:
    """Guards against frames that only our own server reads: the examples of section 5.7."""
    assert frame(b"Hello", mask).hex() == expected
    assert read_frame(io.BytesIO(bytes.fromhex(expected)).read) == b"Hello"


@pytest.mark.parametrize("data", ["", "81", "8800", "817e0100"])
def test_other_frames_end_the_echo(data: str) -> None:
    """Guards against an echo that hangs on a frame that it does not know: none, half of one, an end, a long one."""
    assert read_frame(io.BytesIO(bytes.fromhex(data)).read) is None


def test_a_long_text_is_refused() -> None:
    """Guards against a frame whose length is read as something else."""
    with pytest.raises(ValueError, match="126 bytes; at most 125"):
        frame(b"x" * 126)
