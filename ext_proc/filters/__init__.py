"""Users' filters: what is sent to them, how their answers are read, and the chain that runs them in order."""
