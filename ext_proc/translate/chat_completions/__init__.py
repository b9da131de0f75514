"""What several pairs share about Chat Completions."""
