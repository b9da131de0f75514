"""An issuer of tokens for tests: a key of its own, and the document that tells it (JWKS)."""

import base64
import json
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256


class Issuer:
    """Signs with RS256."""

    def __init__(self, name: str, key_id: str = "one") -> None:
        self.name = name
        self._key_id = key_id
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def jwks(self) -> bytes:
        """Return what verifies its tokens."""
        public = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self._key_id, "n": _number(public.n), "e": _number(public.e)}
        return json.dumps({"keys": [key]}).encode()

    def token(self, subject: str, audience: str, *, seconds: float = 600, **claims: Any) -> str:
        """Sign a token that ends in so many seconds."""
        now = int(time.time())
        said = {"iss": self.name, "sub": subject, "aud": audience, "iat": now, "exp": now + int(seconds), **claims}
        signed = f"{_json({'alg': 'RS256', 'typ': 'JWT', 'kid': self._key_id})}.{_json(said)}"
        return f"{signed}.{_text(self._key.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"


def unsigned(subject: str, audience: str, issuer: str) -> str:
    """Write a token that says that it needs no signature."""
    claims = {"iss": issuer, "sub": subject, "aud": audience, "exp": int(time.time()) + 600}
    return f"{_json({'alg': 'none', 'typ': 'JWT'})}.{_json(claims)}."


def _json(value: object) -> str:
    return _text(json.dumps(value).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))
