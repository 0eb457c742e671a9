"""Measurements: how fast, and against what."""
