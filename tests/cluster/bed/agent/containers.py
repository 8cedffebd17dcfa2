"""Containers: a process with a root folder, volumes, variables and a user of its own, in the pod's network namespace."""

import os
import shlex
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.cluster.bed.agent.api import Object
from tests.cluster.bed.agent.environment import command, environment
from tests.cluster.bed.agent.images import Image, image
from tests.cluster.bed.agent.volumes import Volumes

_ETC: Final = ("alternatives", "ssl", "passwd", "group", "nsswitch.conf", "protocols", "services", "ld.so.cache")
"""What programs read there; the rest of this machine's settings is none of theirs."""


@dataclass(kw_only=True)
class Container:
    """A container that runs, or ran."""

    name: str
    popen: subprocess.Popen[bytes]
    restarts: int = 0
    ready: bool = False

    @property
    def exit_code(self) -> int | None:
        """How it ended; `None` while it runs."""
        return self.popen.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and its children."""
        try:
            os.killpg(self.popen.pid, number)
        except ProcessLookupError:
            return


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Starts the containers of one pod."""

    folder: Path
    network_namespace: str
    volumes: Volumes
    envoy: Path

    def start(self, pod: Object, spec: Object) -> Container:
        """Start one container; what it prints goes into `logs/`.

        Raises:
            LookupError: nothing stands for its image.
            NotThereYet: a ConfigMap or Secret that it names does not exist.
        """
        source = image(spec["image"], self.envoy)
        variables = environment(pod, spec, source, self.volumes)
        log = self.folder / "logs" / f"{spec['name']}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
        log.chmod(0o666)  # programs open /dev/stdout anew, as the user that they run as
        script = self._script(pod, spec, source, command(spec, source, variables))
        with log.open("ab") as output:
            popen = subprocess.Popen(
                ["ip", "netns", "exec", self.network_namespace, "sh", "-c", script],
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Container(name=spec["name"], popen=popen)

    def _script(self, pod: Object, spec: Object, source: Image, words: list[str]) -> str:
        """`ip netns exec` has given the shell mounts of its own; every command replaces the one before it."""
        root = self.folder / "roots" / spec["name"]
        root.mkdir(parents=True, exist_ok=True)
        top = " ".join(name for name in ("bin", "sbin", "lib", "lib64") if Path("/", name).is_symlink())
        lines = [
            "set -e",
            f"cd {shlex.quote(str(root))}",
            "mount -t tmpfs -o mode=755 bed .",
            f"cd {shlex.quote(str(root))}",
            "mkdir -p usr proc dev tmp run etc var/run var/log sys",
            "chmod 1777 tmp run var/run",
            f"for each in {top}; do ln -s usr/$each $each; done",
            "mount --rbind -o ro /usr usr",
            "mount -t tmpfs -o mode=755 bed usr/local/bin",
            "mount --rbind /proc proc",
            "mount --rbind /dev dev",
            f"for each in {' '.join(_ETC)}; do [ ! -e /etc/$each ] || cp -a /etc/$each etc/; done",
            f"cp {shlex.quote(str(self.folder / 'resolv.conf'))} etc/resolv.conf",
        ]
        for path, file in source.files.items():
            lines += _bound(file, path)
        for mount in spec.get("volumeMounts", []):
            held = self.volumes.path(mount["name"]) / mount.get("subPath", "")
            lines += _bound(held, mount["mountPath"])
        user, group = _user(pod, spec, source)
        identity = [] if user == 0 else ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--"]
        lines.append(f"exec chroot . {shlex.join([*identity, *words])}")
        return "\n".join(lines)


def _bound(source: Path, path: str) -> list[str]:
    there, target = shlex.quote(str(source)), shlex.quote(path.lstrip("/"))
    if source.is_dir():
        return [f"mkdir -p {target}", f"mount --bind {there} {target}"]
    return [f"mkdir -p $(dirname {target})", f"touch {target}", f"mount --bind {there} {target}"]


def _user(pod: Object, spec: Object, source: Image) -> tuple[int, int]:
    context = {**pod["spec"].get("securityContext", {}), **spec.get("securityContext", {})}
    user = context.get("runAsUser", source.user)
    return user, context.get("runAsGroup", user)
