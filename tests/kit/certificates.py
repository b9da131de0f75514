"""Certificates for tests: an authority of our own, and servers that it vouches for."""

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Authority:
    """Files of an authority and of one server."""

    ca: Path
    certificate: Path
    key: Path


def issue(folder: Path, host: str) -> Authority:
    """Make an authority, and a certificate for one host name."""
    folder.mkdir(exist_ok=True)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _sign("test authority", ca_key, "test authority", ca_key, x509.BasicConstraints(ca=True, path_length=None))
    server = _sign(host, key, "test authority", ca_key, x509.SubjectAlternativeName([x509.DNSName(host)]))
    made = Authority(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    made.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    made.certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made


def issue_client(folder: Path, name: str, uri: str) -> None:
    """Make a client's certificate, `<name>.pem` and `<name>.key`; its authority is one more of `clients.pem`."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = f"authority of {name}"
    ca = _sign(authority, ca_key, authority, ca_key, x509.BasicConstraints(ca=True, path_length=None))
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)])
    client = _sign(name, key, authority, ca_key, names)
    with (folder / "clients.pem").open("ab") as trusted:
        trusted.write(ca.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.pem").write_bytes(client.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _sign(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    )
    return builder.sign(issuer_key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
