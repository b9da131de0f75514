"""Byte layouts: JSON bodies, and edits that leave every other byte alone. Pure."""
