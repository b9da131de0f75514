"""What output filters make of an answer on its way to the client: of a whole one at once, of a stream text by text."""
