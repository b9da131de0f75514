"""FilterConfig -> Plan: targets of models, and chains of models."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ext_proc.errors import Uncompilable
from ext_proc.plan.targets import Member, ResumableRoute, Target
from ext_proc.translate.registry import supports
from protos import filter_config_pb2 as pb
from protos.contract.quirks import QuirkTable, decode_rules

Holder = pb.Model | pb.Share | pb.Start
"""What has routes to chains."""


def compile_targets(items: Iterable[pb.Model]) -> dict[tuple[str, str], Target]:
    """Compile the targets, by model and API.

    Raises:
        Uncompilable: a target is duplicate, or a quirk is invalid.
    """
    targets: dict[tuple[str, str], Target] = {}
    for item in items:
        for target in item.targets:
            if (item.name, target.api) in targets:
                raise Uncompilable(f"target {target.api!r} of model {item.name!r} is there twice")
            targets[item.name, target.api] = Target(
                path=target.path,
                stream_path=target.stream_path,
                quirks=_quirks(item.name, target.quirks),
                client_key_header=target.client_key_header,
                failover_route=target.failover_route,
                route=target.route,
            )
    return {key: _with_tools_target(key, target, targets) for key, target in targets.items()}


def _with_tools_target(key: tuple[str, str], target: Target, targets: Mapping[tuple[str, str], Target]) -> Target:
    model, api = key
    elsewhere = {name for rule in target.quirks.rules if (name := rule.quirks.get("tools_api", "")) not in ("", api)}
    found = {name: targets[model, name] for name in sorted(elsewhere) if (model, name) in targets}
    return replace(target, for_tools=found) if found else target


def compile_chains(items: Iterable[Holder], targets: Mapping[tuple[str, str], Target]) -> dict[str, tuple[Member, ...]]:
    """Compile the chain of each route.

    Raises:
        Uncompilable: a member has no target, or cannot serve the route's client API.
    """
    chains: dict[str, tuple[Member, ...]] = {}
    for item in items:
        for route in item.routes:
            if not route.by_attempt and not route.tools_route:
                continue
            members = tuple(_member(member, route, targets) for member in route.members)
            own = (route.route, route.stream_route, route.continued) if route.by_attempt else (route.tools_route,)
            for name in filter(None, own):
                if not members or chains.setdefault(name, members) != members:
                    raise Uncompilable(f"route {name!r} has {'two chains' if members else 'no members'}")
            chains |= {member.resumed: (Member(member.model, member.resumed_api),) for member in members if member.resumed}
    return chains


def compile_resumable_routes(items: Iterable[Holder], targets: Mapping[tuple[str, str], Target]) -> dict[str, ResumableRoute]:
    """Compile how streams of routes are resumed.

    Raises:
        Uncompilable: a member has no route of its own, or there is no idle timeout.
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


def _quirks(model: str, text: str) -> QuirkTable:
    try:
        return QuirkTable(decode_rules(text))
    except (ValueError, TypeError, AttributeError) as error:
        raise Uncompilable(f"the quirks of model {model!r} cannot be read: {error}") from None
