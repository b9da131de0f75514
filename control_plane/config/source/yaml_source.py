"""Parses YAML to plain data with line numbers.

Keys stay text (`on:` is not a boolean), duplicate keys are errors, and neither nesting nor
aliases can make a small file expensive.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from control_plane.config.source.paths import Path, render_path
from control_plane.errors import Problem

MAX_NODES: Final = 1_000_000
"""Values after aliases are followed; 1,000 agents and 1,000 models have about 20,000."""
MAX_DEPTH: Final = 64
"""Nesting; the deepest configuration has about 8."""

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_OPENING = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_CLOSING = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
_MERGE: Final = "tag:yaml.org,2002:merge"
_AS_WRITTEN: Final = frozenset({f"tag:yaml.org,2002:{kind}" for kind in ("str", "timestamp", "value")})
_CONSTRUCTORS: Final = {
    f"tag:yaml.org,2002:{kind}": yaml.SafeLoader.yaml_constructors[f"tag:yaml.org,2002:{kind}"]
    for kind in ("null", "bool", "int", "float")
}


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file."""

    data: dict[str, Any]
    lines: dict[Path, int]
    """Line of each value, counted from 1: that of its key, or of the item of a list."""


class UnreadableYaml(Exception):
    """The text is not a YAML mapping; has the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def parse_yaml(text: str) -> tuple[Source, list[Problem]]:
    """Parse a configuration file; raise UnreadableYaml if it is not a YAML mapping."""
    root = _compose(text)
    if root is None:
        raise UnreadableYaml(
            Problem(path="", code="empty-file", message="is empty: at least `version` and `listeners` are needed")
        )
    if not isinstance(root, yaml.MappingNode):
        message = "should be a mapping with keys such as `version` and `listeners`"
        raise UnreadableYaml(Problem(path="", code="not-a-mapping", message=message, line=_line(root)))
    reader = _Reader()
    return Source(reader.mapping(root, ()), reader.lines), reader.problems


def _compose(text: str) -> yaml.Node | None:
    try:
        _check_depth(text)
        node: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = "is not valid YAML: " + " ".join(part for part in (error.context, error.problem) if part)
        problem = Problem(path="", code="yaml-syntax", message=message, line=mark.line + 1 if mark else None)
        raise UnreadableYaml(problem) from None
    except (yaml.YAMLError, UnicodeError):
        message = "is not valid YAML: it has a character that no text file should have"
        raise UnreadableYaml(Problem(path="", code="yaml-syntax", message=message)) from None
    return node


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):  # composing recurses in C, without a limit of depth
        if isinstance(event, _OPENING):
            depth += 1
            if depth > MAX_DEPTH:
                message = f"is nested more than {MAX_DEPTH} levels deep"
                raise UnreadableYaml(Problem(path="", code="too-deep", message=message, line=_line(event)))
        elif isinstance(event, _CLOSING):
            depth -= 1


def _line(node: yaml.Node | yaml.Event) -> int:
    mark = node.start_mark
    return mark.line + 1 if mark else 1


@dataclass(slots=True)
class _Reader:
    """Builds plain data from nodes, collecting lines and problems."""

    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _open: set[int] = field(default_factory=set)
    _nodes: int = 0
    _scalars: Any = field(default_factory=yaml.constructor.SafeConstructor)

    def value(self, node: yaml.Node, path: Path) -> Any:
        self._count(node)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            return self._report(path, "recursive-alias", "is an alias for something that contains it", node)
        self._open.add(id(node))
        try:
            return self.mapping(node, path) if isinstance(node, yaml.MappingNode) else self._sequence(node, path)
        finally:
            self._open.discard(id(node))

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        own = [(key, value) for key, value in node.value if key.tag != _MERGE]
        result: dict[str, Any] = {}
        for key, value in own:
            if not isinstance(key, yaml.ScalarNode):
                self._report(path, "bad-key", "has a key that is not text", key)
                continue
            here = (*path, str(key.value))
            if key.value in result:
                self._report(here, "duplicate-key", f"is written twice, first in line {self.lines[here]}", key)
                continue
            self.lines[here] = _line(key)
            result[str(key.value)] = self.value(value, here)
        for merged in self._merged(node, path):
            self._add_merged(result, merged, path)
        return result

    def _merged(self, node: yaml.MappingNode, path: Path) -> Iterator[yaml.MappingNode]:
        """Yield the mappings of `<<`, nearest first."""
        for key, value in node.value:
            if key.tag != _MERGE:
                continue
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if isinstance(source, yaml.MappingNode):
                    yield source
                else:
                    self._report(path, "bad-merge", "`<<` should name a mapping, or a list of mappings", key)

    def _add_merged(self, result: dict[str, Any], merged: yaml.MappingNode, path: Path) -> None:
        lines = self.lines
        self.lines = {}
        data = self.value(merged, path)
        known = set(result)
        lines.update({p: line for p, line in self.lines.items() if p[: len(path) + 1][-1] not in known})
        self.lines = lines
        for key, value in (data or {}).items():
            result.setdefault(key, value)

    def _sequence(self, node: yaml.Node, path: Path) -> list[Any]:
        items = []
        for index, item in enumerate(node.value):
            here = (*path, index)
            self.lines[here] = _line(item)
            items.append(self.value(item, here))
        return items

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        if node.tag in _AS_WRITTEN:
            return node.value
        construct = _CONSTRUCTORS.get(node.tag)
        if construct is None:
            return self._report(path, "unknown-tag", f"has a tag that means nothing here: {node.tag}", node)
        try:
            return construct(self._scalars, node)
        except (ArithmeticError, LookupError, ValueError):
            return self._report(path, "bad-value", "cannot be read as what it looks like; put it in quotes if it is text", node)

    def _count(self, node: yaml.Node) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            message = f"holds more than {MAX_NODES} values once its aliases are followed"
            raise UnreadableYaml(Problem(path="", code="too-large", message=message, line=_line(node)))

    def _report(self, path: Path, code: str, message: str, node: yaml.Node) -> None:
        self.problems.append(Problem(path=render_path(path), code=code, message=message, line=_line(node)))
