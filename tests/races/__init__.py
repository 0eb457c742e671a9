"""Many clients at once: what the conflict rules promise while everybody hurries."""
