"""Text and JSON output of commands. Pure: values in, lines out."""
