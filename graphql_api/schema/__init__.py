"""The GraphQL surface: translate in, call one service, translate out."""
