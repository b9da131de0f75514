"""`plano init` writes configurations that `plano check` finds nothing wrong with, and overwrites nothing; shells complete."""

import subprocess
from pathlib import Path

import pytest

from control_plane.cli.starting import TEMPLATES
from tests.cli.instances import COMMAND
from tests.cli.test_check import plano

KEYS = {"OPENAI_API_KEY": "sk-1", "ANTHROPIC_API_KEY": "sk-2"}


@pytest.mark.parametrize("template", TEMPLATES)
def test_nothing_is_wrong_with_a_template(tmp_path: Path, template: str) -> None:
    file = tmp_path / "new" / "config.yaml"
    assert plano("init", template, "-o", file).stdout.startswith(f"Wrote {file}.")
    checked = plano("check", file, env=KEYS)
    assert (checked.exit_code, checked.stdout) == (0, "0 problems, 0 warnings\n")


def test_options_as_in_plano(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert plano("init", "--template", "coding_agent_routing").exit_code == 0
    written = (tmp_path / "config.yaml").read_text()
    assert "plano cli-agent claude" in written
    refused = plano("init", "--clean")
    assert (refused.exit_code, refused.stderr) == (1, "plano: config.yaml is there already; --force overwrites it\n")
    assert (tmp_path / "config.yaml").read_text() == written
    assert plano("init", "--clean", "--force").exit_code == 0
    assert (tmp_path / "config.yaml").read_text() == ""


def test_templates_are_listed_where_nobody_can_be_asked(tmp_path: Path) -> None:
    listed = plano("init", "--list-templates").stdout
    assert [line.split()[0] for line in listed.splitlines()] == list(TEMPLATES)
    unasked = plano("init", "-o", tmp_path / "config.yaml")
    assert unasked.exit_code == 1
    assert listed in unasked.stderr + "\n"
    assert plano("init", "--clean", "coding_agent_routing").exit_code == 2


@pytest.mark.parametrize(("words", "completed"), [("plano st", "status"), ("plano logs env", "envoy")])
def test_bash_completes(words: str, completed: str) -> None:
    assert "_PLANO_COMPLETE=bash_complete" in plano("completion", "bash").stdout
    asked = {"_PLANO_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    # As the script that is printed asks for it.
    program = [
        COMMAND[0],
        "-c",
        "import sys; sys.argv[0] = 'plano'; from control_plane.cli import main; main(prog_name='plano')",
    ]
    done = subprocess.run(program, env=asked, capture_output=True, text=True, check=True)
    assert completed in done.stdout


def test_causes_are_shown_to_who_asks(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    plain, verbose = plano("check", missing), plano("-v", "check", missing)
    assert plain.stderr == f"plano: cannot read {missing}: No such file or directory\n"
    assert verbose.stderr.startswith(f"{plain.stderr}  because of FileNotFoundError: [Errno 2]")
