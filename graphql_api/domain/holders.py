"""The places that hold social accounts, and the roles people have in them."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a member may do in a Workspace. Closed: a third role would be a new product."""

    ADMIN = "ADMIN"
    CREATOR = "CREATOR"


@dataclass(frozen=True, slots=True)
class Personal:
    """A person's own place."""

    user_id: UUID

    def __str__(self) -> str:
        return f"user:{self.user_id}"


@dataclass(frozen=True, slots=True)
class Workspace:
    """A place that members share."""

    workspace_id: UUID

    def __str__(self) -> str:
        return f"workspace:{self.workspace_id}"


Holder = Personal | Workspace


def read_holder(text: str | None) -> Holder | None:
    """The holder that a text names, as `str` wrote it; None when it names none."""
    kind, _, key = (text or "").partition(":")
    try:
        if kind == "user":
            return Personal(UUID(key))
        return Workspace(UUID(key)) if kind == "workspace" else None
    except ValueError:
        return None


def holder_of(user_id: UUID | None, workspace_id: UUID | None) -> Holder | None:
    """The holder that two nullable columns name; None while nobody holds."""
    if user_id is not None:
        return Personal(user_id)
    if workspace_id is not None:
        return Workspace(workspace_id)
    return None


def columns_of(holder: Holder) -> tuple[UUID | None, UUID | None]:
    """The two nullable columns that name a holder: the user's id and the workspace's."""
    if isinstance(holder, Personal):
        return holder.user_id, None
    return None, holder.workspace_id
