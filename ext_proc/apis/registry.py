"""All APIs, and their lookup by method and path."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ext_proc.apis.api import Api, ApiSpec
from ext_proc.apis.chat_completions.spec import CHAT_COMPLETIONS
from ext_proc.apis.converse.spec import CONVERSE
from ext_proc.apis.errors import Shape
from ext_proc.apis.messages.spec import MESSAGES
from ext_proc.apis.responses.spec import RESPONSES
from ext_proc.errors import MethodNotAllowed, UnknownPath
from protos.contract.passthrough import ENDPOINTS, PASSTHROUGH


def _plain(spec: ApiSpec, api: Api, path: str, methods: tuple[str, ...] = ("POST",), *, serves_agents: bool = False) -> ApiSpec:
    """Describe an API without conversations, otherwise like another one: its bodies pass unchanged."""
    return replace(
        spec,
        api=api,
        path=path,
        methods=methods,
        serves_agents=serves_agents,
        conversation="",
        instructions="",
        has_answer=lambda _body: True,
    )


_PLAIN: Final = (
    _plain(MESSAGES, Api.COUNT_TOKENS, "/v1/messages/count_tokens"),
    _plain(CHAT_COMPLETIONS, Api.EMBEDDINGS, "/v1/embeddings"),
    _plain(CHAT_COMPLETIONS, Api.COMPLETIONS, "/v1/completions"),
    _plain(CHAT_COMPLETIONS, Api.MODELS, "/v1/models", ("GET", "OPTIONS"), serves_agents=True),
)

_PASSED: Final = tuple(
    _plain(MESSAGES if api is Api.MESSAGE_BATCHES else CHAT_COMPLETIONS, api, "") for api in Api if api in PASSTHROUGH
)

SPECS: Final[Mapping[Api, ApiSpec]] = {
    spec.api: spec for spec in (CHAT_COMPLETIONS, MESSAGES, RESPONSES, CONVERSE, *_PLAIN, *_PASSED)
}

_BY_NAME: Final[Mapping[str, ApiSpec]] = {str(api): spec for api, spec in SPECS.items()}

AGENT_APIS: Final = {spec.path: spec.api for spec in SPECS.values() if spec.serves_agents}
"""What an agent listener serves."""

MODEL_APIS: Final = {spec.path: spec.api for spec in SPECS.values() if spec.path}
"""What a model listener serves."""

MODELS_PREFIX: Final = "/v1/models/"
"""Prefix of the id of one model, which may contain slashes."""

DECISION_PREFIX: Final = "/routing"

DECISION_APIS: Final = {DECISION_PREFIX + path: api for path, api in AGENT_APIS.items() if api is not Api.MODELS}
"""The decision API of a model listener."""

PATHS: Final = {api: path for path, api in MODEL_APIS.items()} | {Api(one.api): f"/v1/{one.base}" for one in ENDPOINTS}


def split_query(target: str) -> tuple[str, str]:
    """Split a request's `:path` into path and query; the query includes its question mark, or is empty."""
    path, mark, query = target.partition("?")
    return path, mark + query


def usual_path(path: str) -> str:
    """Normalise a path with extra slashes, `/v1` twice or no `/v1`, caused by wrong base URLs."""
    prefix = DECISION_PREFIX if path.startswith(f"{DECISION_PREFIX}/") else ""
    parts = [part for part in path.removeprefix(prefix).split("/") if part]
    while parts[:1] == ["v1"]:
        parts = parts[1:]
    return "/".join((prefix, "v1", *parts))


def error_shape(path: str) -> Shape:
    """Return the error shape of a client that requested this path, also for unknown paths below a known one."""
    path = path.removeprefix(DECISION_PREFIX)
    return MESSAGES.shape if f"{path}/".startswith(f"{MESSAGES.path}/") else CHAT_COMPLETIONS.shape


def shape_of(api: str) -> Shape:
    """Return the error shape of an API."""
    return spec_of(api).shape


def spec_of(api: str) -> ApiSpec:
    """Return the description of an API; an unknown one is treated as Chat Completions."""
    return _BY_NAME.get(api, CHAT_COMPLETIONS)


def find_api(table: dict[str, Api], method: str, path: str) -> Api:
    """Return the API that is served at a path.

    Raises:
        UnknownPath: no API is served there.
        MethodNotAllowed: the path is served, but not for this method.
    """
    api = table.get(path)
    if api is None:
        meant = usual_path(path)
        hint = f"Did you mean {meant}?" if meant in table else f"Served are: {', '.join(sorted(table))}."
        raise UnknownPath(f"Nothing is served at this path. {hint}")
    check_method(method, SPECS[api].methods, path)
    return api


def check_method(method: str, allowed: tuple[str, ...], path: str) -> None:
    """Refuse a method that a path does not take.

    Raises:
        MethodNotAllowed: it does not.
    """
    if method not in allowed:
        allow = ", ".join(allowed)
        hint = " Web pages of other origins may ask where `listeners[].cors` allows it." if method == "OPTIONS" else ""
        raise MethodNotAllowed(f"The method is not allowed at {path}; use {allow}.{hint}", headers={"allow": allow})
