"""The mutations, by noun. Each has the same four parts: Input, Result, Failure, Error."""
