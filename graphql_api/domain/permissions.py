"""Who may do what in a Workspace: questions over the viewer's role there (None: not a member)."""

from enum import StrEnum

from graphql_api.domain.holders import Role


class Scope(StrEnum):
    """What an API token may do beyond acting as its user."""

    READ_ACCESS_TOKENS = "READ_ACCESS_TOKENS"


def may_see(role: Role | None) -> bool:
    """May the viewer know that the Workspace exists, its name and its members?"""
    return role is not None


def may_connect(role: Role | None) -> bool:
    """May the viewer connect social accounts into the Workspace, and disconnect them?"""
    return role is Role.ADMIN


def may_invite(role: Role | None) -> bool:
    """May the viewer invite people to the Workspace?"""
    return role is Role.ADMIN


def may_answer_access_requests(role: Role | None) -> bool:
    """May the viewer grant and decline requests for access to the Workspace's social accounts?"""
    return role is Role.ADMIN
