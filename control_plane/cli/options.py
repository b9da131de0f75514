"""Options that several commands share, and the rendering of failures: lines on stderr, exit code 1."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click

from control_plane.errors import ConfigError, NoConfigFile
from control_plane.report.problems import problems_text
from control_plane.supervisor.down import WillNotStop
from control_plane.supervisor.errors import CannotStart
from control_plane.supervisor.run_dir import default_run_dir

FILE = click.Path(dir_okay=False, path_type=Path)

run_dir_option = click.option(
    "--run-dir",
    type=click.Path(file_okay=False, path_type=Path, resolve_path=True),
    default=default_run_dir,
    show_default="~/.plano/run",
    help="Where the instance keeps its sockets, logs and state.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


@contextmanager
def errors_in_words() -> Iterator[None]:
    """Report expected errors as messages."""
    try:
        yield
    except ConfigError as error:
        fail("\n".join(problems_text(error.problems, error.warnings)))
    except (CannotStart, NoConfigFile, WillNotStop) as error:
        fail("\n".join([f"plano: {error}", *(_causes(error) if _is_verbose() else ())]))


def _is_verbose() -> bool:
    """Whether `plano -v` was asked for."""
    context = click.get_current_context(silent=True)
    return bool(context and context.find_root().obj)


def _causes(error: BaseException) -> Iterator[str]:
    """Name what led to an error, the nearest first, each with the place where it happened."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
        at = traceback.extract_tb(error.__traceback__)
        place = f" ({at[-1].filename}:{at[-1].lineno})" if at else ""
        yield f"  because of {type(error).__name__}: {error}{place}"


def fail(message: str) -> NoReturn:
    """Print to stderr and exit with code 1."""
    click.echo(message, err=True)
    sys.exit(1)
