"""The server side of HTTP/2 for gRPC clients with long-lived connections, such as Envoy. Bytes in, events out; no I/O.

Not supported: push, priorities, request trailers with a meaning, and requests other than gRPC.
https://www.rfc-editor.org/rfc/rfc9113
"""
