"""What stands for images: where a container finds it."""

from pathlib import Path

import pytest

from tests.cluster.bed.agent import images
from tests.cluster.bed.agent.containers import leads_into_usr
from tests.cluster.bed.agent.images import Image


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Every program is a file here, whatever is built or installed."""
    (tmp_path / "program").touch()

    def found(*_arguments: object, **_options: object) -> Path:
        return tmp_path / "program"

    for name in ("tool", "module_file", "valkey_program"):
        monkeypatch.setattr(images, name, found)
    return tmp_path / "program"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("docker.io/envoyproxy/ratelimit:8fe6ea42@sha256:a615", "/bin/ratelimit"),
        ("registry.example.com:5000/mirror/envoyproxy/ratelimit:8fe6ea42", "/bin/ratelimit"),
        ("bed/valkey:1", "/usr/local/bin/valkey-server"),
    ],
)
def test_images_by_name(programs: Path, name: str, path: str) -> None:
    """Guards against a name that is cut at the wrong colon, and a program where its command does not look for it."""
    found = images.image(name, programs)
    assert found.files[path] == programs
    assert found.entrypoint[0] == path
    assert found.user != 0


def test_an_unknown_image_stands_for_nothing(programs: Path) -> None:
    """Guards against a pod that seems to run."""
    with pytest.raises(LookupError, match=r"no program for the image docker\.io/redis:8"):
        images.image("docker.io/redis:8", programs)


def test_an_image_with_its_own_folder_does_not_write_into_this_machine(tmp_path: Path) -> None:
    """Guards against `/bin` as a link to this machine's: a file of the image would be made there."""
    own = Image(files={"/bin/ratelimit": tmp_path})
    assert not leads_into_usr("bin", own)
    assert leads_into_usr("lib", own) == Path("/lib").is_symlink()
    assert leads_into_usr("bin", Image(files={"/usr/local/bin/x": tmp_path})) == Path("/bin").is_symlink()
