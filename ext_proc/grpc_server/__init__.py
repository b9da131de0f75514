"""A gRPC server on asyncio for the calls that Envoy makes, over its own `http2`; see docs/adr/0009-our-own-grpc-server.md.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""
