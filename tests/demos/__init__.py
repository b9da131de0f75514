"""The travel demo: agents, API clients, recorded APIs and stand-in provider over real HTTP."""
