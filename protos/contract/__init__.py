"""Names that the control plane, Envoy and ext_proc must agree on."""
