"""Runs GraphQL operations. Knows graphql-core and Strawberry, nothing of social accounts."""
