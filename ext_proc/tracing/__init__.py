"""ext_proc's own spans. Envoy creates those of hops, and decides what is sampled."""
