"""Workspaces, their members, teams and invitations."""
