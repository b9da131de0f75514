"""TLS of listeners: the files of a certificate and its key by SDS, so that a renewed one is taken without a new listener.

No key is sent: the secret names files, which Envoy reads, and watches.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath

from control_plane import ir
from control_plane.xds import api

_PROTOCOLS = ("h2", "http/1.1")


def build_downstream_tls(tls: ir.DownstreamTls) -> api.core.TransportSocket:
    """Build the socket of a listener's connections."""
    asked = _client_ca(tls) if tls.client_ca_path else None
    context = api.tls.DownstreamTlsContext(
        require_client_certificate=asked is not None,
        common_tls_context=api.tls.CommonTlsContext(
            alpn_protocols=list(_PROTOCOLS),
            tls_certificate_sds_secret_configs=[_secret(tls.secret_name)],
            validation_context_sds_secret_config=asked,
            tls_params=api.tls.TlsParameters(tls_minimum_protocol_version=api.tls.TlsParametersTlsProtocol.TLSv1_2),
        ),
    )
    return api.core.TransportSocket(name="envoy.transport_sockets.tls", typed_config=api.pack(context))


def build_tls_secrets(tls: ir.DownstreamTls) -> Iterator[api.tls.Secret]:
    """Build what the socket asks for by name."""
    certificate = api.tls.TlsCertificate(
        certificate_chain=api.core.DataSource(filename=tls.certificate_path),
        private_key=api.core.DataSource(filename=tls.key_path),
        watched_directory=_folder(tls.certificate_path),
    )
    yield api.tls.Secret(name=tls.secret_name, tls_certificate=certificate)
    if tls.client_ca_path:
        trusted = api.tls.CertificateValidationContext(
            trusted_ca=api.core.DataSource(filename=tls.client_ca_path), watched_directory=_folder(tls.client_ca_path)
        )
        yield api.tls.Secret(name=_client_ca_name(tls), validation_context=trusted)


def _client_ca(tls: ir.DownstreamTls) -> api.tls.SdsSecretConfig:
    return _secret(_client_ca_name(tls))


def _client_ca_name(tls: ir.DownstreamTls) -> str:
    return f"{tls.secret_name}/client_ca"


def _secret(name: str) -> api.tls.SdsSecretConfig:
    return api.tls.SdsSecretConfig(name=name, sds_config=api.ads())


def _folder(path: str) -> api.core.WatchedDirectory:
    return api.core.WatchedDirectory(path=str(PurePosixPath(path).parent))
