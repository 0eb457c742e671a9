"""Re-checking very many accounts, killed midway and resumed."""
