"""Attacks on a running server, and faults of what it stands on: nobody can starve the others."""
