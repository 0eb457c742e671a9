"""Social accounts, as the schema shows them."""
