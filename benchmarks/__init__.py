"""The benchmark: our server against a hand-written floor and the GraphQL servers that others run."""
