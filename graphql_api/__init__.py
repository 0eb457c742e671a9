"""The server that connects creators' social accounts, and settles who holds them."""
