"""From the text of the file to plain data that remembers its lines: YAML, paths, environment variables."""
