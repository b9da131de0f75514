"""Anthropic's Messages API: code shared by several pairs."""
