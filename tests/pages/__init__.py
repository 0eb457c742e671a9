"""Pages of a Workspace with very many social accounts."""
