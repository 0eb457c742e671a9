"""Workspaces, members, teams and invitations, as the schema shows them."""
