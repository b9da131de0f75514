"""What several pairs share about Responses."""
