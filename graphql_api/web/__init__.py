"""HTTP: the GraphQL endpoint, GraphiQL, health. Bytes in, bytes out."""
