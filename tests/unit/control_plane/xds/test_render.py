import pytest
import yaml

from control_plane.xds import api
from control_plane.xds.encode import encode
from control_plane.xds.render import resource_to_yaml, to_yaml


@pytest.mark.parametrize("value", ["y", "n", "N", "yes", "on", "null", "1", "1e3", "~", "a: b", "%"])
def test_a_string_stays_a_string_for_envoy(value: str) -> None:
    text = to_yaml(api.core.Node(id=value))
    assert yaml.safe_load(text) == {"id": value}
    assert value not in "ynN" or f"'{value}'" in text


def test_what_any_holds_is_shown() -> None:
    packed = api.core.TypedExtensionConfig(name="x", typed_config=api.pack(api.type_v3.Percent(value=5)))
    assert yaml.safe_load(to_yaml(packed))["typed_config"] == {"@type": api.type_url(api.type_v3.Percent), "value": 5.0}


def test_names_of_fields_are_envoys_own() -> None:
    assert "enforcing_consecutive_5xx: 3" in to_yaml(api.cluster.OutlierDetection(enforcing_consecutive_5xx=3))


def test_a_secret_is_redacted() -> None:
    secret = api.tls.Secret(
        name="s", generic_secret=api.tls.GenericSecret(secret=api.core.DataSource(inline_string="sk-visible"))
    )
    text = resource_to_yaml(api.SECRET, encode(secret))
    assert "sk-visible" not in text
    assert yaml.safe_load(text)["name"] == "s"


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match="no resource type"):
        resource_to_yaml("type.googleapis.com/nothing", b"")
