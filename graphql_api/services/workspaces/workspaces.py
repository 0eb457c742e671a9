"""Creating, renaming and listing Workspaces."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.domain import holders, inputs
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Role
from graphql_api.domain.inputs import InvalidInput, Problems
from graphql_api.domain.permissions import Action, may
from graphql_api.domain.refusals import Refused
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.pages import Page, PageRequest, PreparedList
from graphql_api.services.history import recording
from graphql_api.services.workspaces.members import no_such_workspace, not_allowed
from graphql_api.storage.prepared import one_of
from graphql_api.storage.rows import WorkspaceRow, columns, row_of
from graphql_api.storage.tables import Membership, Workspace


async def create(call: Call, *, name: str) -> WorkspaceRow | Refused[InvalidInput]:
    """Create a Workspace; its maker is its first admin."""
    problems = Problems()
    name = inputs.check_text(problems, ("input", "name"), name, longest=inputs.MAX_NAME)

    async def work(session: AsyncSession) -> WorkspaceRow | Refused[InvalidInput]:
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
        event = NewEvent(
            holders.Workspace(workspace.id),
            EventKind.WORKSPACE_CREATED,
            workspace.id,
            {"name": name},
            subject_name=name,
        )
        await recording.record(session, call, [event])
        return row_of(workspace, WorkspaceRow)

    return await call.transact(work)


async def rename(
    call: Call, *, workspace_id: UUID, name: str
) -> tuple[WorkspaceRow, Role] | Refused[InvalidInput]:
    """Give a Workspace another name; the one that it has already is no error."""
    problems = Problems()
    name = inputs.check_text(problems, ("input", "name"), name, longest=inputs.MAX_NAME)

    async def work(session: AsyncSession) -> tuple[WorkspaceRow, Role] | Refused[InvalidInput]:
        await access.lock_viewer(session, call)
        workspace, role = await access.lock_workspace(session, call, workspace_id)
        if workspace is None or role is None:
            return Refused([no_such_workspace(), *problems.found])
        if not may(role, Action.RENAME):
            return Refused([not_allowed("Only an admin of the Workspace renames it"), *problems.found])
        if problems:
            return Refused(problems.found)
        if workspace.name != name:
            details = {"from": workspace.name, "to": name}
            workspace.name = name
            workspace.updated_at = call.now
            await session.flush()
            event = NewEvent(
                holders.Workspace(workspace_id),
                EventKind.WORKSPACE_RENAMED,
                workspace_id,
                details,
                subject_name=name,
            )
            await recording.record(session, call, [event])
        return row_of(workspace, WorkspaceRow), role

    return await call.transact(work)


async def page(call: Call, request: PageRequest, *, role: Role | None) -> Page[tuple[WorkspaceRow, Role]]:
    """The workspaces that the viewer belongs to, in the order of joining; those with this role, if given."""
    roles = list(Role) if role is None else [role]
    return await _MINE.page(call, request, viewer_id=call.viewer.user_id, roles=roles)


_MINE = PreparedList(
    sa.select(*columns(Workspace, WorkspaceRow), col(Membership.role))
    .join(Membership, col(Membership.workspace_id) == col(Workspace.id))
    .where(one_of(col(Membership.role), "roles")),
    access.with_role,
    within={"viewer_id": col(Membership.user_id)},
    order=[col(Membership.created_at), col(Membership.workspace_id)],
)
