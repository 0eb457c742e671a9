"""Workspaces and their members."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain import inputs
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Role
from graphql_api.domain.holders import Workspace as Place
from graphql_api.domain.inputs import InvalidInput, Problems
from graphql_api.domain.permissions import may_rename
from graphql_api.domain.refusals import Refused
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.pages import Page, PageRequest, read_page
from graphql_api.services.history import recording
from graphql_api.services.workspaces.members import no_such_workspace, not_allowed
from graphql_api.storage.tables import Membership, User, Workspace


async def create(call: Call, *, name: str) -> Workspace | Refused[InvalidInput]:
    """Create a Workspace; its maker is its first admin."""
    problems = Problems()
    name = inputs.check_text(problems, ("input", "name"), name, longest=inputs.MAX_NAME)

    async def work(session: AsyncSession) -> Workspace | Refused[InvalidInput]:
        viewer = await access.lock_viewer(session, call)
        if problems:
            return Refused(problems.found)
        workspace = Workspace(name=name, created_at=call.now, updated_at=call.now)
        session.add(workspace)
        await session.flush()
        session.add(
            Membership(workspace_id=workspace.id, user_id=viewer.id, role=Role.ADMIN, created_at=call.now)
        )
        await session.flush()
        event = NewEvent(Place(workspace.id), EventKind.WORKSPACE_CREATED, workspace.id, {"name": name})
        await recording.record(session, call, [event])
        return workspace

    return await call.transact(work)


async def rename(
    call: Call, *, workspace_id: UUID, name: str
) -> tuple[Workspace, Role] | Refused[InvalidInput]:
    """Give a Workspace another name; the one that it has already is no error."""
    problems = Problems()
    name = inputs.check_text(problems, ("input", "name"), name, longest=inputs.MAX_NAME)

    async def work(session: AsyncSession) -> tuple[Workspace, Role] | Refused[InvalidInput]:
        await access.lock_viewer(session, call)
        workspace, role = await access.lock_workspace(session, call, workspace_id)
        if workspace is None or role is None:
            return Refused([no_such_workspace(), *problems.found])
        if not may_rename(role):
            return Refused([not_allowed("Only an admin of the Workspace renames it"), *problems.found])
        if problems:
            return Refused(problems.found)
        if workspace.name != name:
            details = {"from": workspace.name, "to": name}
            workspace.name = name
            workspace.updated_at = call.now
            await session.flush()
            event = NewEvent(Place(workspace_id), EventKind.WORKSPACE_RENAMED, workspace_id, details)
            await recording.record(session, call, [event])
        return workspace, role

    return await call.transact(work)


async def page(call: Call, request: PageRequest, *, role: Role | None) -> Page[tuple[Workspace, Role]]:
    """The workspaces that the viewer belongs to, in the order of joining; those with this role, if given."""
    statement = select(Workspace, Membership.role).join(
        Membership, col(Membership.workspace_id) == col(Workspace.id)
    )
    if role is not None:
        statement = statement.where(Membership.role == role)
    return await read_page(
        call,
        statement,
        request,
        within=[(col(Membership.user_id), call.viewer.user_id)],
        order=[col(Membership.created_at), col(Membership.workspace_id)],
    )


async def members_page(call: Call, request: PageRequest, workspace_id: UUID) -> Page[tuple[User, Membership]]:
    """The members of a Workspace that the viewer belongs to, the longest-serving first."""
    mine = select(Membership.workspace_id).where(Membership.user_id == call.viewer.user_id)
    statement = (
        select(User, Membership)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(col(Membership.workspace_id).in_(mine))
    )
    return await read_page(
        call,
        statement,
        request,
        within=[(col(Membership.workspace_id), workspace_id)],
        order=[col(Membership.created_at), col(Membership.user_id)],
    )
