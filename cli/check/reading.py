"""From the bytes of a file to its documents."""

from typing import Final

from cli.check.documents import Document, Refusal
from cli.check.json_reader import looks_like_json, read_json
from cli.check.yaml_reader import read_yaml

MAX_BYTES: Final = 64 * 1024 * 1024
"""The largest file that is read: thirty times what 10,000 objects usually need."""


def read_documents(content: bytes) -> list[Document]:
    """The documents of a YAML or JSON file, empty ones left out. Whatever the bytes are, this ends.

    Args:
        content: the file, no more than `MAX_BYTES` and one byte of it.
    """
    if len(content) > MAX_BYTES:
        return [_refused(1, f"more than {MAX_BYTES // 1024 // 1024} MiB; split the file")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [_refused(content.count(b"\n", 0, error.start) + 1, "not UTF-8")]
    documents = read_json(text) if looks_like_json(text) else None
    if documents is None:
        documents = read_yaml(text)
    return [each for each in documents if each.value is not None or each.refusals]


def _refused(line: int, why: str) -> Document:
    return Document(index=0, line=line, value=None, refusals=(Refusal(line=line, why=why),))
