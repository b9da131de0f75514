"""Listeners: ports and internal addresses, access logs, and what clients read when Envoy itself answers."""
