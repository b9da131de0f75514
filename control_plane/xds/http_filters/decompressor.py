"""The http_filters that decompress request bodies before other filters read them; answers are not changed.

Envoy has no decompressor for `deflate`, so ext_proc decodes that. Each filter stops at a hundred times the size of its
input, and the listener's buffer at `max_request_bytes`.
"""

from typing import Final

from control_plane.xds import api

_CHUNK_BYTES: Final = 1 << 16

_Library = api.gzip.Gzip | api.brotli.Brotli | api.zstd.Zstd

_LIBRARIES: Final[dict[str, _Library]] = {
    "gzip": api.gzip.Gzip(chunk_size=_CHUNK_BYTES),
    "brotli": api.brotli.Brotli(chunk_size=_CHUNK_BYTES),
    "zstd": api.zstd.Zstd(chunk_size=_CHUNK_BYTES),
}


def build_decompressors() -> list[api.hcm.HttpFilter]:
    """Build a filter for each encoding, which matches `content-encoding` and removes it."""
    return [_decompressor(name, library) for name, library in _LIBRARIES.items()]


def _decompressor(name: str, library: _Library) -> api.hcm.HttpFilter:
    off = api.decompressor.DecompressorCommonDirectionConfig(
        enabled=api.core.RuntimeFeatureFlag(default_value=False, runtime_key=f"plano.decompressor.{name}.responses")
    )
    config = api.decompressor.Decompressor(
        decompressor_library=api.extension(f"plano.{name}", library),
        request_direction_config=api.decompressor.DecompressorRequestDirectionConfig(advertise_accept_encoding=False),
        response_direction_config=api.decompressor.DecompressorResponseDirectionConfig(common_config=off),
    )
    return api.hcm.HttpFilter(name=f"envoy.filters.http.decompressor.{name}", typed_config=api.pack(config))
