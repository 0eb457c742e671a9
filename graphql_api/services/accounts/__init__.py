"""Social accounts: connecting, listing, sharing, moving, and asking for access."""
