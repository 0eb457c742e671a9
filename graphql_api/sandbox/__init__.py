"""A stand-in for Meta's Graph API, for development and tests: it imports nothing of the product."""
