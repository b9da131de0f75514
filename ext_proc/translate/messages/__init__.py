"""What several pairs share about Anthropic's Messages API."""
