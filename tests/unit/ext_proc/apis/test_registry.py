import pytest

from ext_proc.apis.api import Api
from ext_proc.apis.registry import AGENT_APIS, MODEL_APIS, error_shape, find_api, shape_of, split_query, usual_path
from ext_proc.errors import MethodNotAllowed, UnknownPath


@pytest.mark.parametrize(
    ("path", "api"),
    [("/v1/chat/completions", Api.CHAT_COMPLETIONS), ("/v1/messages", Api.MESSAGES), ("/v1/responses", Api.RESPONSES)],
)
def test_both_kinds_of_listener_serve_conversations(path: str, api: Api) -> None:
    assert find_api(AGENT_APIS, "POST", path) is api
    assert find_api(MODEL_APIS, "POST", path) is api


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/completions", "/v1/messages/count_tokens"])
def test_only_model_listeners_serve_the_rest(path: str) -> None:
    assert find_api(MODEL_APIS, "POST", path)
    with pytest.raises(UnknownPath):
        find_api(AGENT_APIS, "POST", path)


@pytest.mark.parametrize(("method", "path", "allow"), [("PUT", "/v1/messages", "POST"), ("POST", "/v1/models", "GET, OPTIONS")])
def test_says_what_is_allowed(method: str, path: str, allow: str) -> None:
    with pytest.raises(MethodNotAllowed) as caught:
        find_api(MODEL_APIS, method, path)
    assert caught.value.headers == {"allow": allow}


@pytest.mark.parametrize(
    ("path", "shape"),
    [("/v1/messages", "anthropic"), ("/v1/messages/batches", "anthropic"), ("/v1/messagesx", "openai"), ("", "openai")],
)
def test_errors_have_the_shape_of_the_path(path: str, shape: str) -> None:
    assert error_shape(path) == shape


@pytest.mark.parametrize(
    ("path", "usual"),
    [
        ("/chat/completions", "/v1/chat/completions"),
        ("/v1/chat/completions/", "/v1/chat/completions"),
        ("//v1//messages", "/v1/messages"),
        ("/v1/v1/responses", "/v1/responses"),
        ("/routing/v1/messages/", "/routing/v1/messages"),
        ("/models", "/v1/models"),
        ("/", "/v1"),
    ],
)
def test_a_path_that_is_slightly_wrong_has_a_usual_form(path: str, usual: str) -> None:
    assert usual_path(path) == usual


def test_says_which_path_was_meant() -> None:
    with pytest.raises(UnknownPath, match="Did you mean /v1/messages\\?"):
        find_api(AGENT_APIS, "POST", "/messages/")


def test_queries_are_apart() -> None:
    assert split_query("/a?b=c?d") == ("/a", "?b=c?d")
    assert split_query("/a") == ("/a", "")


@pytest.mark.parametrize(("path", "api"), MODEL_APIS.items())
def test_an_api_has_the_shape_of_its_path(path: str, api: Api) -> None:
    assert shape_of(api) == error_shape(path)
