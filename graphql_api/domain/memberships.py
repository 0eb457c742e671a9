"""What a Workspace must keep: an admin."""

from collections.abc import Collection, Mapping
from uuid import UUID

from graphql_api.domain.holders import Role


def keeps_an_admin(admins: Collection[UUID], *, without: UUID) -> bool:
    """Does the Workspace still have an admin without this one?"""
    return any(admin != without for admin in admins)


def admins_after(admins: Collection[UUID], changed: Mapping[UUID, Role]) -> set[UUID]:
    """Who are the admins after these changes of roles? A Workspace must have one."""
    stay = {user_id for user_id in admins if user_id not in changed}
    return stay | {user_id for user_id, role in changed.items() if role is Role.ADMIN}


def may_go_with_its_member(members: Collection[UUID], *, member: UUID) -> bool:
    """Is this user the only member, so that nobody misses the Workspace when they are deleted?"""
    return set(members) == {member}
