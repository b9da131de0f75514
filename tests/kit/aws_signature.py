"""Checks a request's AWS signature (SigV4) as a service does, strictly, from AWS' description and nothing of ours or Envoy's.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from datetime import UTC, datetime
from urllib.parse import quote

from tests.kit.stub_upstream import Received

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_MOST_SECONDS = 300


def wrong_with(request: Received, *, key_id: str, secret: str, region: str, service: str) -> str:
    """Say what a service would refuse; empty if nothing."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if match is None:
        return f"no signature: {request.headers.get('authorization')!r}"
    date, scope = match[2], f"{match[2]}/{match[3]}/{match[4]}/aws4_request"
    if (match[1], match[3], match[4]) != (key_id, region, service):
        return f"signed for {match[1]}/{scope}"
    when = request.headers.get("x-amz-date", "")
    try:
        age = datetime.now(UTC) - datetime.strptime(when, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return f"x-amz-date is {when!r}"
    if abs(age.total_seconds()) > _MOST_SECONDS or not when.startswith(date):
        return f"signed at {when}"
    names = match[5].split(";")
    unsigned = {name for name in request.headers if name.startswith("x-amz-")} | {"host"}
    if names != sorted(names) or not unsigned <= {*names}:
        return f"signed headers are {names}"
    expected = _signature(request, names, when, scope, secret)
    return "" if hmac.compare_digest(expected, match[6]) else "the signature is another"


def _signature(request: Received, names: list[str], when: str, scope: str, secret: str) -> str:
    path, _, query = request.path.partition("?")
    assert not query
    canonical = "\n".join(
        (
            request.method,
            quote(path, safe="/~"),  # What is encoded on the way is encoded once more, but for S3.
            "",
            *(f"{name}:{' '.join(request.headers[name].split())}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(request.body).hexdigest(),
        )
    )
    signed = "\n".join(("AWS4-HMAC-SHA256", when, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, signed.encode(), "sha256").hex()
