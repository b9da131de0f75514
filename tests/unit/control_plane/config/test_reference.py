"""docs/configuration.md says everything about every field, and is up to date."""

from pathlib import Path

from control_plane.config.model import PlanoConfig, Section
from control_plane.config.model.walk import no_effect, sections_of
from control_plane.config.reference import render_reference
from tests.kit.generated import stale_files, write_files


def every_section(section: type[Section]) -> set[type[Section]]:
    inner = [member for info in section.model_fields.values() for member in sections_of(info.annotation)]
    return {section}.union(*(every_section(member) for member in inner))


def test_every_field_is_described() -> None:
    for section in every_section(PlanoConfig):
        for name, info in section.model_fields.items():
            assert info.description, f"{section.__name__}.{name}"


def test_every_field_and_fate_is_in_the_document() -> None:
    text = render_reference()
    for section in every_section(PlanoConfig):
        for name, info in section.model_fields.items():
            assert f"| `{name}` |" in text
            mark = no_effect(info)
            assert mark is None or mark.why in text


def test_generated_files_are_noticed_when_stale(tmp_path: Path) -> None:
    assert stale_files(tmp_path)
    write_files(tmp_path)
    assert not stale_files(tmp_path)
    assert not stale_files()
