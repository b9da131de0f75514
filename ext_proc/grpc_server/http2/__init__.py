"""HTTP/2 for one kind of peer: a gRPC client that keeps its connections, such as Envoy. Bytes in, events out; does no I/O.

What is left out: push, priorities, trailers that mean anything, and requests other than gRPC's. https://www.rfc-editor.org/rfc/rfc9113
"""
