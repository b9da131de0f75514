"""Messages of the ExternalProcessor service <-> events and replies: the only package that knows their protos."""
