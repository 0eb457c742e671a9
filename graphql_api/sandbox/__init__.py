"""A stand-in for Meta's Graph API, for development and tests: it imports nothing of the product."""

APP_ID = "1000000000000001"
APP_SECRET = "sandbox"  # noqa: S105 - it guards nothing
