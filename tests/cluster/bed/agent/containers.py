"""Containers: processes with root folder, volumes, variables and user of their own, in the pod's network namespace."""

import os
import shlex
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.cluster.bed.agent.api import Object
from tests.cluster.bed.agent.environment import command, environment
from tests.cluster.bed.agent.images import Image, image
from tests.cluster.bed.agent.volumes import Volumes

_ETC: Final = ("alternatives", "ssl", "passwd", "group", "nsswitch.conf", "protocols", "services", "ld.so.cache")
"""What programs read there; the rest of this machine's settings is none of theirs."""
_PUBLIC_AUTHORITIES: Final = "etc/ssl/certs/ca-certificates.crt"
"""Whom an image trusts: the file of Debian's and Ubuntu's images, Istio's among them."""
_START_SECONDS: Final = 30.0


@dataclass(kw_only=True)
class Container:
    """A container that runs, or ran."""

    name: str
    popen: subprocess.Popen[bytes]
    variables: dict[str, str]
    identity: tuple[str, ...]
    """The words before a command that make it run as the container's user."""
    restarts: int = 0
    ready: bool = False

    @property
    def exit_code(self) -> int | None:
        """How it ended; `None` while it runs."""
        return self.popen.poll()

    @property
    def pid(self) -> int | None:
        """Its first process, which is number 1 inside; `None` before and after it."""
        children = Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children")
        try:
            return int(children.read_text().split()[0])
        except (OSError, IndexError):
            return None

    def run(self, command: list[str], seconds: float) -> None:
        """Run a command inside, as `kubectl exec` does; what becomes of it is its own affair."""
        entered = ("nsenter", f"--target={self.pid}", "--net", "--mount", "--pid", "--root", "--wd=/", "--")
        try:
            subprocess.run(
                [*entered, *self.identity, *command],
                env=self.variables,
                capture_output=True,
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its first process; with that one, all the others end."""
        if (pid := self.pid) is not None:
            with suppress(ProcessLookupError):  # it may end at this very moment
                os.kill(pid, number)


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
        variables = environment(pod, spec, self.volumes)
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
        container = Container(
            name=spec["name"], popen=popen, variables=variables, identity=_identity(pod, spec, source)
        )
        deadline = time.monotonic() + _START_SECONDS
        while container.pid is None and container.exit_code is None:
            if time.monotonic() > deadline:
                raise OSError(f"{spec['name']} has not begun to run in {_START_SECONDS:.0f} s")
            time.sleep(0.01)
        return container

    def _script(self, pod: Object, spec: Object, source: Image, words: list[str]) -> str:
        """What builds the container's root folder, and then becomes its first process.

        `ip netns exec` gives it mounts of its own, `unshare` a table of processes.
        """
        root = self.folder / "roots" / spec["name"]
        root.mkdir(parents=True, exist_ok=True)
        top = " ".join(name for name in ("bin", "sbin", "lib", "lib64") if leads_into_usr(name, source))
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
            "mount -t proc proc proc",
            "mount --rbind /dev dev",
            "mount -t tmpfs bed dev/shm",
            f"for each in {' '.join(_ETC)}; do [ ! -e /etc/$each ] || cp -a /etc/$each etc/; done",
            f"cp {shlex.quote(str(self.folder / 'etc'))}/* etc/",
            f"cat etc/outside.pem >> {_PUBLIC_AUTHORITIES}",
        ]
        for path, file in source.files.items():
            lines += _bound(file, path)
        for mount in spec.get("volumeMounts", []):
            held = self.volumes.path(mount["name"]) / mount.get("subPath", "")
            lines += _bound(held, mount["mountPath"])
        lines.append(f"exec chroot . {shlex.join([*_identity(pod, spec, source), *words])}")
        inside = shlex.quote("\n".join(lines))
        return f"exec unshare --pid --fork --kill-child=KILL sh -c {inside}"


def leads_into_usr(name: str, source: Image) -> bool:
    """Whether a folder of the root leads into `/usr`, as here; not where the image has files of its own in it."""
    return Path("/", name).is_symlink() and not any(path.startswith(f"/{name}/") for path in source.files)


def _bound(source: Path, path: str) -> list[str]:
    there, target = shlex.quote(str(source)), shlex.quote(path.lstrip("/"))
    if source.is_dir():
        return [f"mkdir -p {target}", f"mount --bind {there} {target}"]
    return [f"mkdir -p $(dirname {target})", f"touch {target}", f"mount --bind {there} {target}"]


def _identity(pod: Object, spec: Object, source: Image) -> tuple[str, ...]:
    context = {**pod["spec"].get("securityContext", {}), **spec.get("securityContext", {})}
    user = context.get("runAsUser", source.user)
    if user == 0:
        return ()
    return ("setpriv", f"--reuid={user}", f"--regid={context.get('runAsGroup', user)}", "--clear-groups", "--")
