"""OpenAI Chat Completions, see https://platform.openai.com/docs/api-reference/chat."""
