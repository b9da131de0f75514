"""Configuration: from the bytes of plano_config.yaml to a checked, immutable PlanoConfig, or to every problem that it has."""
