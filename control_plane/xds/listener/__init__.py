"""Listeners: ports and internal addresses, access logs, and local replies."""
