"""Loads a configuration file into a checked PlanoConfig: parse, expand, upgrade, validate, check."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from control_plane.config.check import Finding, check
from control_plane.config.check.finding import Check
from control_plane.config.check.literal_secrets import check_literal_secrets
from control_plane.config.model import PlanoConfig, Tracing
from control_plane.config.otel import read_otel, wants_latest_names
from control_plane.config.source.paths import Path
from control_plane.config.source.tree import Tree
from control_plane.config.source.variables import Expansion, Missing
from control_plane.config.source.yaml_source import UnreadableYaml, parse_yaml
from control_plane.config.upgrade import upgrade
from control_plane.config.validate import Validated, validate
from control_plane.errors import ConfigError, Problem

DEFAULT_FILE = "plano_config.yaml"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be served, and its warnings."""

    config: PlanoConfig
    warnings: tuple[Problem, ...]


def load(text: str | bytes, *, env: Mapping[str, str], file: str = DEFAULT_FILE, also: Iterable[Check] = ()) -> Loaded:
    """Read a configuration; raise ConfigError with every problem that it has.

    Variables are looked up only in `env`, see `environment`. `file` is the name of the file in problems, `also` are checks that
    need more than the text.
    """
    try:
        source, problems = parse_yaml(_decode(text))
    except UnreadableYaml as unreadable:
        raise ConfigError((replace(unreadable.problem, file=file),)) from None
    expansion = Expansion(env)
    written = Tree(expansion.expand(source.data), source.lines)
    problems += [_missing_problem(written, missing) for missing in expansion.missing]
    tree = upgrade(written)
    problems += tree.problems
    unreadable_paths = {problem.path for problem in problems}
    validated = validate(tree, lambda path: tree.original(path) in expansion.from_variables)
    problems += [problem for problem in validated.problems if problem.path not in unreadable_paths]
    warnings = list(tree.warnings)
    tracing, found = read_otel(validated.config.tracing if validated.config else None, env)
    for finding in (*found, *_findings(tree, validated, expansion, also)):
        problem = tree.problem(finding.path, finding.code, finding.message)
        if problem.path not in unreadable_paths:
            (warnings if finding.is_warning else problems).append(problem)
    if problems or validated.config is None:
        raise ConfigError(_in_order(problems, file), _in_order(warnings, file))
    return Loaded(_completed(validated.config, tracing, env), _in_order(warnings, file))


def _completed(config: PlanoConfig, tracing: Tracing | None, env: Mapping[str, str]) -> PlanoConfig:
    """Complete the configuration from the environment."""
    overrides = config.overrides
    if overrides.gen_ai_latest_names is None:
        overrides = overrides.model_copy(update={"gen_ai_latest_names": wants_latest_names(env)})
    return config.model_copy(update={"tracing": tracing, "overrides": overrides})


def _decode(text: str | bytes) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise UnreadableYaml(Problem(path="", code="not-utf8", message="should be UTF-8 text", line=line)) from None


def _missing_problem(tree: Tree, missing: Missing) -> Problem:
    if not missing.name:
        return tree.problem(missing.path, "bad-variable", "`${` should be followed by a name and `}`; write `$$` for a dollar")
    message = f"the environment variable {missing.name} is not set, nor in .env; write `$$` if a dollar is meant"
    return tree.problem(missing.path, "missing-variable", message)


def _findings(tree: Tree, validated: Validated, expansion: Expansion, also: Iterable[Check]) -> Iterator[Finding]:
    """Yield the findings of all checks, except for entries that lack a value because it is invalid."""
    if validated.config is None:
        return

    def is_variable(path: Path) -> bool:
        return tree.original(path) in expansion.from_variables

    config = validated.config
    beyond = (finding for rule in also for finding in rule(config))
    for finding in (*check(config), *check_literal_secrets(config, is_variable), *beyond):
        if validated.has_all(finding.needs) if finding.needs else validated.is_complete(finding.path):
            yield finding


def _in_order(problems: Iterable[Problem], file: str) -> tuple[Problem, ...]:
    """Sort problems by their place in the file."""
    named = {replace(problem, file=file) for problem in problems}
    return tuple(sorted(named, key=lambda problem: (problem.line or 0, problem.path, problem.code, problem.message)))
