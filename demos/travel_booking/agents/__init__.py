"""The three agents: HTTP services that speak OpenAI chat completions and ask models through the gateway."""
