"""People, workspaces and accounts to try things out with, made by the services that the resolvers call."""

import secrets
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain.access_requests import ACCOUNT
from graphql_api.domain.claims import Candidate, Claim, ConflictPolicy, FacebookLogin
from graphql_api.domain.holders import Role
from graphql_api.domain.holders import Workspace as Place
from graphql_api.domain.mails import MailKind
from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.domain.viewers import Viewer
from graphql_api.services.accounts import access_requests, connecting, sharing
from graphql_api.services.accounts.access_requests import AskCommand
from graphql_api.services.accounts.connecting import ConnectCommand
from graphql_api.services.calls import mails
from graphql_api.services.calls.call import Call, Services
from graphql_api.services.history import events
from graphql_api.services.people import email_codes, users
from graphql_api.services.workspaces import invitations, teams, workspaces
from graphql_api.storage.revisions import Migrated, state_of
from graphql_api.storage.tables import Mail, User

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Account:
    """A made-up social account."""

    display_name: str
    external_id: str
    platform: Platform = Platform.INSTAGRAM

    @property
    def key(self) -> SocialKey:
        """What tells it from every other."""
        return SocialKey(self.platform, self.external_id)


FACEBOOK_USER_ID = "10220000000000002"

# The sample tabs of GraphiQL claim this one as its Workspace's admin and as its creator.
NORTH = Account("studio.north", "17841400000000010")
NORTH_FILMS = Account("studio.north.films", "17841400000000011")
NORTH_PAGE = Account("Studio North", "102200000000010", Platform.FACEBOOK_PAGE)
SOUTH = Account("agency.south", "17841400000000020")
OF_ADMIN = Account("nora_on_the_road", "17841400000000030")
OF_CREATOR = Account("cleo.paints", "17841400000000040")


def test_token(*accounts: Account) -> str:
    """A test token of the sandbox: a login that controls these accounts, and says so itself."""
    token = f"TEST-any:fb={FACEBOOK_USER_ID}"
    for name, platform in (("page", Platform.FACEBOOK_PAGE), ("ig", Platform.INSTAGRAM)):
        ids = [account.external_id for account in accounts if account.platform is platform]
        token += f";{name}={','.join(ids)}" if ids else ""
    return token


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is registered now, with what they log in with."""

    name: str
    email: str
    password: Secret
    bearer_token: Secret
    viewer: Viewer


@dataclass(frozen=True, slots=True)
class Demo:
    """What there is now: one admin of both workspaces, and a creator in each."""

    admin: Person
    creator: Person
    other_creator: Person
    studio_north: UUID
    agency_south: UUID
    films: UUID
    of_admin: UUID
    access_request: UUID
    events_cursor: str | None


@dataclass(frozen=True, slots=True)
class NotFilled:
    """The database is left as it was."""

    message: str


async def fill(services: Services) -> Demo | NotFilled:
    """Fill an empty database."""
    reason = await services.database.read(_reason_against)
    if reason is not None:
        return NotFilled(reason)
    admin = await _register(services, "Nora North", "nora@example.com")
    creator = await _register(services, "Cleo Creator", "cleo@example.com")
    other_creator = await _register(services, "Sami South", "sami@example.com")
    studio_north = await _found(services, admin, "Studio North", creator)
    agency_south = await _found(services, admin, "Agency South", other_creator)
    _, north_films, _ = await _connect(services, admin, studio_north, NORTH, NORTH_FILMS, NORTH_PAGE)
    films = await _share(services, admin, studio_north, name="Films", creator=creator, hold_id=north_films)
    await _connect(services, admin, agency_south, SOUTH)
    (of_admin,) = await _connect(services, admin, None, OF_ADMIN)
    await _connect(services, creator, None, OF_CREATOR)
    access_request = await _ask(services, creator, studio_north, NORTH)
    await _discard_mails(services, admin, creator, other_creator)
    cursor = await events.present_cursor(_call(services, admin), Place(studio_north))
    return Demo(
        admin,
        creator,
        other_creator,
        studio_north,
        agency_south,
        films=films,
        of_admin=of_admin,
        access_request=access_request,
        events_cursor=cursor,
    )


async def _reason_against(session: AsyncSession) -> str | None:
    if await state_of(session) is Migrated.BEHIND:
        return "The database is not migrated: run `python -m graphql_api migrate` first."
    if (await session.scalars(select(User.id).limit(1))).first() is not None:
        return "The database is left as it is: people are registered in it, and the demo fills an empty one."
    return None


async def _register(services: Services, name: str, email: str) -> Person:
    password = Secret(secrets.token_urlsafe(12))
    registered = _done(await users.register(_call(services, None), email=email, password=password, name=name))
    token = registered.token
    viewer = Viewer(registered.user.id, token.record.id, frozenset())
    _done(await email_codes.verify(_call(services, None), code=await _mailed_code(services, email)))
    return Person(name, email, password, token.bearer_token, viewer)


async def _mailed_code(services: Services, email: str) -> Secret:
    """The code that verifies an address, out of the mail that waits for it."""

    async def work(session: AsyncSession) -> Mail:
        of_person = select(Mail).where(Mail.recipient == email, Mail.kind == MailKind.VERIFY_EMAIL)
        return (await session.scalars(of_person)).one()

    code = mails.open_code(services.keyring, await services.database.read(work))
    if code is None:
        raise RuntimeError("a server that runs meanwhile has sent the demo's mail")
    return code


async def _discard_mails(services: Services, *people: Person) -> None:
    """Nobody reads the mails of made-up people: they are not to be sent at the first start."""
    to_them = sa.delete(Mail).where(col(Mail.recipient).in_([person.email for person in people]))

    async def work(session: AsyncSession) -> None:
        await session.execute(to_them.execution_options(synchronize_session=False))

    await services.database.transact(work)


async def _found(services: Services, admin: Person, name: str, creator: Person) -> UUID:
    workspace = _done(await workspaces.create(_call(services, admin), name=name))
    invited = _done(
        await invitations.invite(
            _call(services, admin), workspace_id=workspace.id, email=creator.email, role=Role.CREATOR
        )
    )
    _done(await invitations.accept(_call(services, creator), code=invited.code))
    return workspace.id


async def _share(
    services: Services, admin: Person, workspace_id: UUID, *, name: str, creator: Person, hold_id: UUID
) -> UUID:
    """Share an account with a new team that a creator is in; the team's id."""
    team = _done(await teams.create(_call(services, admin), workspace_id=workspace_id, name=name))
    user_ids = [creator.viewer.user_id]
    _done(await teams.add_members(_call(services, admin), team_id=team.id, user_ids=user_ids))
    _done(await sharing.share(_call(services, admin), hold_ids=[hold_id], team_ids=[team.id]))
    return team.id


async def _connect(
    services: Services, person: Person, workspace_id: UUID | None, *accounts: Account
) -> list[UUID]:
    """Connect made-up accounts; the ids of their holds."""
    token = Secret(test_token(*accounts))
    command = ConnectCommand(
        login=FacebookLogin(FACEBOOK_USER_ID, token, None),
        claims=[
            Claim(
                index,
                account.key,
                account.display_name,
                ("input",),
                profile_picture_url=None,
                access_token=token,
            )
            for index, account in enumerate(accounts)
        ],
        workspace_id=workspace_id,
        policy=ConflictPolicy.REJECT_ALL,
    )
    connected = _done(await connecting.connect(_call(services, person), command))
    return [account.hold_id for _, account in connected.accounts]


async def _ask(services: Services, creator: Person, workspace_id: UUID, account: Account) -> UUID:
    """A request that the Workspace's admin finds pending; its id."""
    asked_for = Candidate(0, account.key, account.display_name, ACCOUNT)
    command = AskCommand(workspace_id, asked_for, "I paint its sets.")
    return _done(await access_requests.ask(_call(services, creator), command)).id


def _call(services: Services, person: Person | None) -> Call:
    return Call(services, None if person is None else person.viewer, "demo")


def _done(outcome: T | Refused[object]) -> T:
    if not isinstance(outcome, Refused):
        return outcome
    raise RuntimeError(f"the demo was refused: {outcome.problems}")
