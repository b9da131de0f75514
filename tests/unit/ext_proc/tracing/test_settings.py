from ext_proc.tracing.settings import TracingSettings

SETTINGS = TracingSettings(
    route="tracing/collector",
    path="/v1/traces",
    protocol="http/protobuf",
    timeout_seconds=1,
    interval_seconds=1,
    queue_size=1,
    batch_size=1,
    attributes={"env": "test", "team": "nobody"},
    header_prefixes=("x-shop-", "x-tenant"),
)


def test_headers_become_attributes_by_the_rest_of_their_names() -> None:
    headers = {"x-shop-order-id": "7", "x-tenant-name": "blue", "x-other": "no", "authorization": "Bearer x"}
    assert SETTINGS.attributes_of(headers) == {"env": "test", "team": "nobody", "order.id": "7", "name": "blue"}


def test_a_header_has_the_last_word() -> None:
    assert SETTINGS.attributes_of({"x-shop-team": "orders"})["team"] == "orders"


def test_a_header_that_is_only_a_prefix_has_no_name() -> None:
    assert SETTINGS.attributes_of({"x-shop-": "a", "x-tenant": "b", "x-tenant-": "c"}) == dict(SETTINGS.attributes)
