"""A server under load while Meta is slow, fails, is away and comes back."""
