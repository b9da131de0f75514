"""A user's function as a filter: imported, checked, called, and its mistakes told with the user's own line."""

import asyncio
import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType, TracebackType
from typing import Any, Final

_GIVEN: Final = ("body", "path", "headers")
_OURS: Final = ("<frozen ", "/ext_proc/python_filters/")


class Mistake(Exception):
    """A function that cannot be a filter; the message says what is wrong, and where."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function that is a filter: `body`, and `path` and `headers` if it wants them, to a body, or None for no change."""

    call: Callable[..., Any]
    wanted: tuple[str, ...]

    def run(self, given: Mapping[str, Any]) -> Any:
        """Call it; what is awaitable is awaited. Raises whatever the function does."""
        result = self.call(given["body"], **{name: given[name] for name in self.wanted})
        return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result


async def _awaited(result: Any) -> Any:
    return await result


def find_function(reference: str) -> Function:
    """Import `module:function`.

    Raises:
        Mistake: there is none, or it takes other arguments.
    """
    module, _, name = reference.partition(":")
    try:
        found: Any = importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001 - a module may do anything, `sys.exit` included
        raise Mistake(f"importing `{module}` failed: {describe(error)}") from None
    for part in name.split("."):
        if not hasattr(found, part):
            raise Mistake(f"`{module}` has no `{name}`")
        found = getattr(found, part)
    if not callable(found):
        raise Mistake(f"`{reference}` cannot be called: it is a {type(found).__name__}")
    return Function(found, _wanted(reference, found))


def _wanted(reference: str, function: Any) -> tuple[str, ...]:
    where = _defined(function)
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    named = [
        parameter for parameter in parameters if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]
    takes_body = any(parameter.kind is not parameter.KEYWORD_ONLY for parameter in parameters)
    rest = named[1:] if named and named[0].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD else named
    unknown = [p.name for p in rest if p.default is p.empty and p.name not in _GIVEN]
    if not takes_body or unknown:
        found = f"{', '.join(unknown)} as well" if unknown else "no body"
        raise Mistake(f"`{reference}` is called as `(body, path=..., headers=...)`, and takes {found}{where}")
    return tuple(parameter.name for parameter in rest if parameter.name in _GIVEN)


def _defined(function: Any) -> str:
    code: CodeType | None = getattr(function, "__code__", None)
    return f" ({code.co_filename}:{code.co_firstlineno})" if code else ""


def describe(error: BaseException) -> str:
    """Say what went wrong, and in which line of the user's: `KeyError: 'x' (filters.py:12)`."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} ({error.filename}:{error.lineno})"
    lines = _lines(error.__traceback__)
    return f"{type(error).__name__}: {error}" + (f" ({lines[-1]})" if lines else "")


def _lines(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)
    return [f"{frame.filename}:{frame.lineno}" for frame in frames if not any(ours in frame.filename for ours in _OURS)]


def status_of(error: BaseException) -> int | None:
    """Return the 4xx by which an exception refuses; None if it is a failure. Web frameworks' own exceptions will do."""
    for name in ("status", "status_code"):
        status = getattr(error, name, None)
        if isinstance(status, int) and 400 <= status < 500:
            return status
    return None


def add_folder(folder: str) -> None:
    """Let modules be imported from a folder."""
    if folder and folder not in sys.path:
        sys.path.insert(0, folder)
