"""Users' filters: their requests and answers, and the chain that runs them in order."""
