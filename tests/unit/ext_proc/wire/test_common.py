"""What can be told of a message that cannot be read."""

import pytest

from ext_proc.wire.common import UnreadableMessage, decode_request, find_path
from protos import ext_proc_pb2 as pb
from protos.contract.stages import ATTRIBUTES_NAMESPACE


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages?beta=true", "/" + "x" * 200])
@pytest.mark.parametrize("is_last", [True, False])
def test_the_path_is_found_beside_bytes_that_are_no_text(path: str, is_last: bool) -> None:
    whole = [_attribute("request.id", "~~"), _attribute("request.path", path)]
    message = b"".join(whole if is_last else reversed(whole)).replace(b"~~", b"\xe9\xff") + b"Z\x02\x08\x02"
    with pytest.raises(UnreadableMessage):
        decode_request(message)
    assert find_path(message) == path


def test_without_a_path_there_is_none() -> None:
    assert find_path(_attribute("request.id", "x")) == ""


def _attribute(name: str, value: str) -> bytes:
    request = pb.ProcessingRequest()
    request.attributes[ATTRIBUTES_NAMESPACE].fields[name].string_value = value
    return request.SerializeToString()
