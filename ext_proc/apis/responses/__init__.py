"""OpenAI Responses, see https://platform.openai.com/docs/api-reference/responses."""
