"""What the bed needs of a machine, and what to say where it is missing."""

import os
import shutil
import subprocess
import sys
from typing import Final

from tests.cluster.bed.envoy import envoy_program
from tests.cluster.bed.valkey import valkey_program
from tests.cluster.toolchains import ToolchainMissing, names, tool

_COMMANDS: Final = {
    "ip": "iproute2",
    "iptables": "iptables",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "sysctl": "procps",
    "unshare": "util-linux",
    "chroot": "coreutils",
    "mount": "mount",
    "curl": "curl",
}
"""Command and Debian package."""


def missing() -> list[str]:
    """What is missing, each with what helps; empty if a bed can be started."""
    found: list[str] = []
    if sys.platform != "linux":
        return ["Linux is needed, for its network namespaces"]
    if os.geteuid() != 0:
        found.append("root is needed, to make network namespaces")
    packages = sorted({package for command, package in _COMMANDS.items() if shutil.which(command) is None})
    if packages:
        found.append(f"apt-get install {' '.join(packages)}")
    elif not found and (refused := _refused()) != "":
        found.append(f"network namespaces, mounts and address translation are needed: {refused}")
    for program in (envoy_program, valkey_program):
        try:
            program()
        except FileNotFoundError as error:
            found.append(f"{error}; `make toolchains` installs that")
    for name in names():
        try:
            tool(name, build=False)
        except (ToolchainMissing, RuntimeError) as error:
            found.append(str(error))
    return found


def _refused() -> str:
    """What the kernel says against a namespace with a mount and a rule in it; nothing if it lets us."""
    tries = (
        "mount -t tmpfs none /mnt",
        "ip link add name a type veth peer name b",
        "iptables -t nat -A OUTPUT -j RETURN",
    )
    script = " && ".join(tries)
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stderr.strip()
