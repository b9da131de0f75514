"""Parses the file to plain data with line numbers: YAML, paths, environment variables."""
