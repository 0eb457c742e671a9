"""Events, as the schema shows them."""
