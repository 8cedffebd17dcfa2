"""Gets the pinned Pulumi CLI from its publisher, checksum verified. `make engine` runs it.

Usage: python -m cli.engine VERSION FOLDER
"""

import hashlib
import io
import platform
import sys
import tarfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

# Both addresses are the publisher's own: pulumi.com/docs/iac/download-install, "Verifying checksums".
_ARCHIVE: Final = "https://get.pulumi.com/releases/sdk/{archive}"
_CHECKSUMS: Final = "https://github.com/pulumi/pulumi/releases/download/v{version}/pulumi-{version}-checksums.txt"
_TIMEOUT: Final = 60


class EngineError(Exception):
    """The CLI could not be had, and why."""


def main(version: str, folder: Path) -> None:
    """Download, verify and unpack the CLI into `folder`.

    Raises:
        EngineError: no build for this machine, an address that cannot be reached, or a wrong checksum.
    """
    archive = f"pulumi-v{version}-{_platform()}.tar.gz"
    checksums = _get(_CHECKSUMS.format(version=version)).decode()
    wanted = {name: digest for digest, name in (line.split() for line in checksums.splitlines() if line.strip())}
    if archive not in wanted:
        raise EngineError(f"the publisher's checksums do not name {archive}")
    content = _get(_ARCHIVE.format(archive=archive))
    found = hashlib.sha256(content).hexdigest()
    if found != wanted[archive]:
        raise EngineError(f"{archive} has the checksum {found}; its publisher says {wanted[archive]}")
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(content)) as packed:
        packed.extractall(folder, filter="data")
    print(f'Pulumi {version} is in {folder}/pulumi. To use it: export PATH="$PWD/{folder}/pulumi:$PATH"')


def _platform() -> str:
    systems = {"Linux": "linux", "Darwin": "darwin"}
    machines = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
    system, machine = systems.get(platform.system()), machines.get(platform.machine())
    if system is None or machine is None:
        raise EngineError(f"there is no build for {platform.system()} on {platform.machine()}")
    return f"{system}-{machine}"


def _get(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT) as response:  # noqa: S310 (https, and ours)
            return response.read()
    except (urllib.error.URLError, TimeoutError) as error:
        raise EngineError(f"{address} cannot be reached from here: {error}") from error


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except EngineError as error:
        sys.exit(
            f"The Pulumi CLI was not installed: {error}.\nEverything but a real `up` works without it: `make preview`."
        )
