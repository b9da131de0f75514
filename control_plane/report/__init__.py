"""Text and JSON for people and programs at the terminal. Values in, lines out; nothing here reads or runs anything."""
