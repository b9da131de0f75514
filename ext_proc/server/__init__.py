"""gRPC handlers of the ExternalProcessor service, one module per stage."""
