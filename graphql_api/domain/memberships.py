"""What a Workspace must keep: an admin, whoever goes."""

from collections.abc import Collection
from uuid import UUID


def keeps_an_admin(admins: Collection[UUID], *, without: UUID) -> bool:
    """Does the Workspace still have an admin when this user is none any more?"""
    return any(admin != without for admin in admins)


def may_go_with_its_member(members: Collection[UUID], *, member: UUID) -> bool:
    """Is this user the only member, so that nobody misses the Workspace when they are deleted?"""
    return set(members) == {member}
