"""The agents, filters and models of the patterns: programs that follow rules, in one server."""
