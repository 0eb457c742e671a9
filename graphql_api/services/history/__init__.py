"""Events: writing what happened, and reading it."""
