"""Matchers in CEL, Envoy's expressions over attributes, with two messages that envoy-data-plane lacks.

Envoy 1.39 accepts expressions in matchers only in parsed form, as a tree.
https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
"""

from pydantic.dataclasses import dataclass

from control_plane.xds import api


@dataclass(eq=False, repr=False, config={"extra": "forbid"})
class CelMatcher(api.betterproto2.Message):
    """xds.type.matcher.v3.CelMatcher."""

    expr_match: "api.xds_type.CelExpression | None" = api.betterproto2.field(1, api.betterproto2.TYPE_MESSAGE, optional=True)


@dataclass(eq=False, repr=False, config={"extra": "forbid"})
class HttpAttributesCelMatchInput(api.betterproto2.Message):
    """xds.type.matcher.v3.HttpAttributesCelMatchInput."""


for _message in (CelMatcher, HttpAttributesCelMatchInput):
    api.default_message_pool.register_message("xds.type.matcher.v3", _message.__name__, _message)


def attribute_is(value: str, *path: str) -> api.xds_matcher.MatcherMatcherListPredicateSinglePredicate:
    """Build the predicate `<path[0]>.<path[1]>... == '<value>'`; it does not hold where a part of the path is missing."""
    expr = api.cel_expr
    found = expr.Expr(id=3, ident_expr=expr.ExprIdent(name=path[0]))
    for number, name in enumerate(path[1:], 4):
        found = expr.Expr(id=number, select_expr=expr.ExprSelect(operand=found, field=name))
    sides = [found, expr.Expr(id=2, const_expr=expr.Constant(string_value=value))]
    parsed = expr.ParsedExpr(expr=expr.Expr(id=1, call_expr=expr.ExprCall(function="_==_", args=sides)))
    matcher = CelMatcher(expr_match=api.xds_type.CelExpression(cel_expr_parsed=parsed))
    return api.xds_matcher.MatcherMatcherListPredicateSinglePredicate(
        input=api.xds_extension("attributes", HttpAttributesCelMatchInput()),
        custom_match=api.xds_extension("cel", matcher),
    )
