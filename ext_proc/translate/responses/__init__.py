"""Responses: code shared by several pairs."""
