"""Chat Completions: code shared by several pairs."""
