"""Who may do what in a Workspace: one table of actions and roles, and the questions that read from it.

The viewer's role is None if they are not a member. A viewer without a role may do nothing.
`docs/permissions.md` shows the same table to users.
"""

from collections.abc import Mapping
from enum import StrEnum

from graphql_api.domain.holders import Role


class Scope(StrEnum):
    """What an API token may do beyond acting as its user."""

    READ_ACCESS_TOKENS = "READ_ACCESS_TOKENS"


class Action(StrEnum):
    """What a member can want to do in a Workspace, in the words of the documentation."""

    SEE = "See the Workspace, its members, and its teams with who is in them"
    SEE_SHARED_ACCOUNTS = "See the social accounts that are shared with a team they are in"
    SEE_EVERY_ACCOUNT = "See every social account"
    SEE_EVERY_EVENT = "See everything that happened in it"
    CONNECT = "Connect social accounts into it, and disconnect them"
    RECONNECT = "Reconnect a social account that they see, with Meta's word that they control it"
    READ_ACCESS_TOKENS = "Read the access tokens of its social accounts, with the scope for it"
    MOVE = "Move social accounts out of it, and others into it"
    GIVE_NICKNAME = "Give its social accounts nicknames"
    INVITE = "Invite people"
    LEAVE = "Leave"
    MANAGE_MEMBERS = "Change the roles of members, and remove members"
    MANAGE_TEAMS = "Create, rename and delete teams, and say who is in them"
    SHARE = "Share social accounts with teams, and take them back"
    ANSWER_REQUESTS = "See and answer requests for access to social accounts"
    DECIDE_TRANSFERS = "See and answer requests to transfer its social accounts"
    RENAME = "Rename the Workspace"
    DELETE = "Delete the Workspace"


_EVERY_MEMBER = frozenset(Role)
_ADMINS = frozenset({Role.ADMIN})

ROLES: Mapping[Action, frozenset[Role]] = {
    Action.SEE: _EVERY_MEMBER,
    Action.SEE_SHARED_ACCOUNTS: _EVERY_MEMBER,
    Action.SEE_EVERY_ACCOUNT: _ADMINS,
    Action.SEE_EVERY_EVENT: _ADMINS,
    Action.CONNECT: _ADMINS,
    Action.RECONNECT: _EVERY_MEMBER,
    Action.READ_ACCESS_TOKENS: _ADMINS,
    Action.MOVE: _ADMINS,
    Action.GIVE_NICKNAME: _ADMINS,
    Action.INVITE: _ADMINS,
    Action.LEAVE: _EVERY_MEMBER,
    Action.MANAGE_MEMBERS: _ADMINS,
    Action.MANAGE_TEAMS: _ADMINS,
    Action.SHARE: _ADMINS,
    Action.ANSWER_REQUESTS: _ADMINS,
    Action.DECIDE_TRANSFERS: _ADMINS,
    Action.RENAME: _ADMINS,
    Action.DELETE: _ADMINS,
}


def may(role: Role | None, action: Action) -> bool:
    """May the viewer do this in the Workspace where they have this role?"""
    return role in ROLES[action]
