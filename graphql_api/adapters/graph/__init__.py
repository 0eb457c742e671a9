"""Our client of Meta's Graph API."""
