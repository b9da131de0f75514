"""Refusals can be logged and shown."""

import pytest

from control_plane.ads.redaction import without_secrets


@pytest.mark.parametrize(
    "given",
    [
        'name: "a" auth_password { inline_string: "s3cret" } rest',
        'name: "a" auth_password { inline_string: "s3c\\"ret" } rest',
        'name: "a" auth_password { inline_bytes: "s3cret" } rest',
        'name: "a" auth_password { inline_string:"s3cret',
        'name: "a" auth_password { inline_string: "s3cret\\',
        'name: "a" { inline_string: "s3cret" } { inline_string: "\\ns3cret" } rest',
    ],
)
def test_what_stands_inline_is_hidden(given: str) -> None:
    shown = without_secrets(given)
    assert "s3c" not in shown
    assert "[redacted]" in shown
    assert shown.startswith('name: "a"')
    assert shown.endswith("rest") == given.endswith("rest")


def test_the_rest_is_kept() -> None:
    text = 'Proto constraint validation failed: name: "store/sessions" type: EDS'
    assert without_secrets(text) == text
