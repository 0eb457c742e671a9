"""The rules: plain Python over plain values. No I/O, no third-party import."""
