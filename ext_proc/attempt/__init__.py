"""The attempt stage: builds the request of each attempt, and reads its answer before the client sees it."""
