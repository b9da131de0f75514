"""The contracts between Envoy, the control plane and ext_proc. `make protos` regenerates the Python beside each .proto."""
