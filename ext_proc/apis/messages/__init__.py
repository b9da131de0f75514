"""Anthropic Messages, see https://docs.claude.com/en/api/messages."""
