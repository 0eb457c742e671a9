"""The floor: what a good engineer would write by hand for these few requests, and nothing else."""
