"""The part of FilterConfig -> Plan that attempts need: targets of models, and the chains of models that a route tries."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ext_proc.plan.targets import Member, ResumableRoute, Target
from ext_proc.runtime import Uncompilable
from ext_proc.translate.quirks import Profile
from ext_proc.translate.registry import supports
from protos import filter_config_pb2 as pb

_CHOICES: Final[dict[str, frozenset[str]]] = {
    "max_tokens_field": frozenset({"max_completion_tokens", "max_tokens"}),
    "cache_markers": frozenset({"none", "cache_control", "prompt_cache_breakpoint"}),
    "reasoning_history": frozenset({"none", "reasoning_content", "reasoning_details"}),
    "thinking": frozenset({"adaptive", "budget", "none"}),
}


Holder = pb.Model | pb.Share | pb.Start
"""What has routes to chains."""


def compile_targets(items: Iterable[pb.Model]) -> dict[tuple[str, str], Target]:
    """Compile what attempts at models can be sent as, by model and API.

    Raises:
        Uncompilable: a target is there twice, or a quirk is none.
    """
    targets: dict[tuple[str, str], Target] = {}
    for item in items:
        for target in item.targets:
            if (item.name, target.api) in targets:
                raise Uncompilable(f"target {target.api!r} of model {item.name!r} is there twice")
            targets[item.name, target.api] = Target(
                path=target.path,
                stream_path=target.stream_path,
                profile=_profile(item.name, target.quirks),
                resume_method=_resume_method(item.name, target.quirks),
                client_key_header=target.client_key_header,
                failover_route=target.failover_route,
                route=target.route,
            )
    return targets


def compile_chains(items: Iterable[Holder], targets: Mapping[tuple[str, str], Target]) -> dict[str, tuple[Member, ...]]:
    """Compile where the attempts of each route go.

    Raises:
        Uncompilable: a member is no target of any model, or cannot serve the route's client API.
    """
    chains: dict[str, tuple[Member, ...]] = {}
    for item in items:
        for route in item.routes:
            if not route.by_attempt:
                continue
            members = tuple(_member(member, route, targets) for member in route.members)
            for name in filter(None, (route.route, route.stream_route, route.continued)):
                if not members or chains.setdefault(name, members) != members:
                    raise Uncompilable(f"route {name!r} has {'two chains' if members else 'no members'}")
            chains |= {member.resumed: (Member(member.model, member.resumed_api),) for member in members if member.resumed}
    return chains


def compile_resumable_routes(items: Iterable[Holder], targets: Mapping[tuple[str, str], Target]) -> dict[str, ResumableRoute]:
    """Compile how streams of routes go on when they are cut.

    Raises:
        Uncompilable: a member cannot be reached alone, or silence is not bounded.
    """
    continued: dict[str, ResumableRoute] = {}
    for item in items:
        for route in item.routes:
            if not route.continued:
                continue
            members = tuple(_member(member, route, targets) for member in route.members)
            if route.silence_seconds <= 0 or not all(_can_resume(member, targets) for member in members):
                raise Uncompilable(f"route {route.continued!r} does not say how its streams go on")
            continued[route.continued] = ResumableRoute(
                client_api=route.api, members=members, silence_seconds=route.silence_seconds
            )
    return continued


def _member(item: pb.Member, route: pb.ModelRoute, targets: Mapping[tuple[str, str], Target]) -> Member:
    if (item.model, item.api) not in targets:
        raise Uncompilable(f"route {route.route!r} leads to {item.model!r} ({item.api}), which is no target")
    if not supports(route.api, item.api):
        raise Uncompilable(f"route {route.route!r} serves {route.api} over {item.api}, which cannot be translated")
    return Member(item.model, item.api, item.resumed, item.resumed_api)


def _can_resume(member: Member, targets: Mapping[tuple[str, str], Target]) -> bool:
    return bool(member.resumed) and (member.model, member.resumed_api) in targets


def _resume_method(model: str, quirks: pb.Quirks) -> str:
    if quirks.resume_method not in ("", "prefill", "prefix", "partial"):
        raise Uncompilable(f"resume_method of model {model!r} cannot be {quirks.resume_method!r}")
    return quirks.resume_method


def _profile(model: str, quirks: pb.Quirks) -> Profile:
    given: dict[str, Any] = {}
    for field, words in _CHOICES.items():
        word = getattr(quirks, field)
        if word and word not in words:
            raise Uncompilable(f"{field} of model {model!r} cannot be {word!r}")
        if word:
            given[field] = word
    if quirks.default_max_tokens > 0:
        given["default_max_tokens"] = quirks.default_max_tokens
    return Profile(
        reasoning_effort=not quirks.refuses_reasoning_effort,
        joins_text=quirks.joins_text,
        system_messages=quirks.system_messages,
        **given,
    )
