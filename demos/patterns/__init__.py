"""Patterns of agents and filters behind the gateway, each one listener of one configuration."""
