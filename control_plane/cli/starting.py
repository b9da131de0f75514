"""`plano init` and `plano completion`: what one needs once, before anything runs."""

import sys
from importlib.resources import files
from pathlib import Path
from typing import Final

import click
from click.shell_completion import get_completion_class

from control_plane.cli.options import fail

COMPLETION_VARIABLE: Final = "_PLANO_COMPLETE"
TEMPLATES: Final = {
    "sub_agent_orchestration": "several agents behind one port; each question goes to the agent that fits",
    "coding_agent_routing": "coding agents: one address for all models, each kind of work at its model",
    "preference_aware_routing": "the model that fits a request, and another one where that fails",
    "filter_chain_guardrails": "filters that look at requests before an agent does",
}
"""By the names that they have in Plano; files of this package."""


@click.command()
@click.argument("template", type=click.Choice(tuple(TEMPLATES)), required=False)
@click.option("--template", "named", type=click.Choice(tuple(TEMPLATES)), help="The same.")
@click.option("--clean", is_flag=True, help="Write an empty file.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default="config.yaml", show_default=True)
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@click.option("--list-templates", is_flag=True, help="List the templates, and write nothing.")
def init(*, template: str | None, named: str | None, clean: bool, output: Path, force: bool, list_templates: bool) -> None:
    """Write a configuration to begin with, from a TEMPLATE."""
    if list_templates:
        click.echo("\n".join(_listing()))
        return
    chosen = template or named
    if clean and chosen:
        raise click.UsageError("--clean writes an empty file: name no template beside it")
    if not (clean or chosen):
        chosen = _asked()
    _write(output, files(__package__).joinpath(f"templates/{chosen}.yaml").read_text() if chosen else "", force=force)
    click.echo(f"Wrote {output}. Next: edit it, then `plano check {output}` and `plano up {output}`.")


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands, options and files; bash and zsh: eval "$(plano completion SHELL)"."""
    complete = get_completion_class(shell)
    assert complete is not None
    root = click.get_current_context().find_root().command
    click.echo(complete(root, {}, "plano", COMPLETION_VARIABLE).source())


def _listing() -> list[str]:
    width = max(map(len, TEMPLATES))
    return [f"{name.ljust(width)}  {about}" for name, about in TEMPLATES.items()]


def _asked() -> str:
    """Let a person choose."""
    if not sys.stdin.isatty():
        fail("\n".join(["plano: name a template, or --clean:", *_listing()]))
    click.echo("\n".join(_listing()))
    answer: str = click.prompt("Template", type=click.Choice(tuple(TEMPLATES)))
    return answer


def _write(output: Path, text: str, *, force: bool) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        fail(f"plano: {output} is there already; --force overwrites it")
    except OSError as error:
        fail(f"plano: cannot write {output}: {error.strerror}")
