"""plano_config.yaml in, Envoy resources out: configuration, IR, translation, ADS, and the `plano` command."""
