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


def may_move(role: Role | None) -> bool:
    """May the viewer move social accounts out of the place, and others into it?"""
    return role is Role.ADMIN


def may_rename(role: Role | None) -> bool:
    """May the viewer give the place's social accounts nicknames?"""
    return role is Role.ADMIN


def may_invite(role: Role | None) -> bool:
    """May the viewer invite people to the Workspace?"""
    return role is Role.ADMIN
