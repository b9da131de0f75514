"""`quirks:` of an entry: the fields of `protos.contract.quirks.Quirks`, each optional."""

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
    """Deviations of an API or a model; these override what the gateway knows."""

    @property
    def given(self) -> dict[str, Any]:
        """The configured quirks, by name."""
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
        field.target.id: docs.value.value
        for field, docs in zip(declared.body, declared.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(docs, ast.Expr) and isinstance(docs.value, ast.Constant) and isinstance(docs.value.value, str)
    }


def _members() -> dict[str, Any]:
    types, docs = get_type_hints(Quirks), _documentation()
    return {
        quirk.name: (_CHECKED.get(quirk.name, types[quirk.name]), Field(default=quirk.default, description=docs[quirk.name]))
        for quirk in fields(Quirks)
    }


if TYPE_CHECKING:
    QuirkOverrides = _Overrides
else:
    QuirkOverrides = create_model("QuirkOverrides", __base__=_Overrides, __doc__=_Overrides.__doc__, **_members())
