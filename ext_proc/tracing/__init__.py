"""ext_proc's own spans: what only it knows of a request. Envoy makes those of hops, and decides what is sampled."""
