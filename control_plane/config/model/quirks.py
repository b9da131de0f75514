"""`quirks:` of an entry: the fields of `protos.contract.quirks.Quirks`, of which users write those that differ."""

import ast
import inspect
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from pydantic import AfterValidator, Field, create_model
from pydantic_core import PydanticCustomError

from control_plane.config.model.types import Section
from protos.contract.quirks import Quirks


class _Overrides(Section):
    """How an API or a model differs from others of its kind: what is written here wins over what the gateway knows."""

    @property
    def given(self) -> dict[str, Any]:
        """What is written, by the name of the quirk."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise PydanticCustomError("invalid_pattern", "should be a regular expression: {why}", {"why": str(error)}) from None
    return value


_CHECKED = {"call_ids": Annotated[str, AfterValidator(_pattern)]}


def _documentation() -> dict[str, str]:
    """Return the docstring that follows each field of Quirks."""
    [declared] = ast.parse(inspect.getsource(Quirks)).body
    assert isinstance(declared, ast.ClassDef)
    return {
        field.target.id: told.value.value
        for field, told in zip(declared.body, declared.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(told, ast.Expr) and isinstance(told.value, ast.Constant) and isinstance(told.value.value, str)
    }


def _members() -> dict[str, Any]:
    types, told = get_type_hints(Quirks), _documentation()
    return {
        quirk.name: (_CHECKED.get(quirk.name, types[quirk.name]), Field(default=quirk.default, description=told[quirk.name]))
        for quirk in fields(Quirks)
    }


if TYPE_CHECKING:
    QuirkOverrides = _Overrides
else:
    QuirkOverrides = create_model("QuirkOverrides", __base__=_Overrides, __doc__=_Overrides.__doc__, **_members())
