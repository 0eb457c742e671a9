"""Users and their credentials, as the schema shows them."""
