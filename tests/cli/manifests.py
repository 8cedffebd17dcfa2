"""Manifests that the tests of `egress check` share. Their findings come from EGR001, which is there for good."""

from pathlib import Path

NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata:
  name: apps
"""
"""Clean."""

NAMELESS = """\
# One line more, so that lines differ.
apiVersion: v1
kind: Namespace
metadata:
  labels: {a/b: c}
  name: 5
"""
"""EGR001 at line 6."""

NO_OBJECT = "replicas: 3\n"
"""EGR001 at line 1."""


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files into a folder, those below it too, and return it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
