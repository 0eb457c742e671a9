"""The one place that wires things together: settings in, an ASGI application out."""

import gc
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from httpx2 import ASGITransport
from starlette.applications import Starlette
from starlette.types import ASGIApp

from graphql_api.adapters import logs
from graphql_api.adapters.channel import Channel
from graphql_api.adapters.graph.client import App, GraphClient
from graphql_api.adapters.passwords import Passwords
from graphql_api.domain.faults import TemporarilyUnavailable
from graphql_api.domain.secrets import Secret
from graphql_api.domain.transfers import USUAL_TIMES, TransferTimes
from graphql_api.execution.engine import Engine
from graphql_api.execution.persisted import MalformedManifest, PersistedDocuments, read_manifest
from graphql_api.schema import CREDENTIAL_FIELDS, build_schema, schema_text
from graphql_api.schema.context import context_opener
from graphql_api.services.calls.call import Rules, Services
from graphql_api.services.calls.live import Live
from graphql_api.services.upkeep import (
    demo_people,
    forgetting,
    rechecks,
    sealing_keys,
    tidying,
    transfers,
    warnings,
)
from graphql_api.services.upkeep.mailer import Mailer
from graphql_api.settings import MetaMode, Settings, Unusable, read_settings
from graphql_api.storage.database import Database
from graphql_api.storage.revisions import Migrated, state_of
from graphql_api.web import routes
from graphql_api.web.callbacks import Callbacks
from graphql_api.web.graphiql import People, graphiql_routes
from graphql_api.web.reports import make_reporter

log = structlog.get_logger(__name__)

OBJECTS_BETWEEN_COLLECTIONS = 5_000
MAX_MANIFEST_BYTES = 16_777_216
MAX_PROBLEMS_TOLD = 10


def create_app(settings: Settings, *, transfer_times: TransferTimes = USUAL_TIMES) -> ASGIApp:
    """The whole server for one process; tests shorten the times of transfers, which are no setting."""
    services = build_services(settings)
    services = replace(services, rules=replace(services.rules, transfer_times=transfer_times))
    mailer = Mailer(services, settings.outlet(), settings.front_end_url)
    tidy_every = timedelta(minutes=settings.tidy_minutes)
    limits = settings.limits
    engine = Engine(
        build_schema(),
        limits=limits,
        report_error=make_reporter(messages=not settings.in_production),
        show_suggestions=settings.shows_introspection,
        introspection=settings.shows_introspection,
        credential_fields=CREDENTIAL_FIELDS,
        persisted=PersistedDocuments(
            trusted=_trusted_documents(settings),
            only_trusted=settings.only_trusted_documents,
            automatic=settings.automatic_persisted_queries,
        ),
    )
    _refuse_unusable_documents(engine)

    keys = KeyCheck(services)

    async def ready() -> bool:
        return await services.database.read(state_of) is not Migrated.BEHIND and not await keys.problems()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with services.database:
            if await _refuse_old_database(services.database):
                await keys.refuse_problems()
            log.info("server.mails_go_to", outlet=str(mailer.outlet))
            if services.meta is None:
                log.warning("server.claims_are_believed", setting="META_MODE=off")
            else:
                log.info("server.asks", source=services.meta.source)
            async with (
                asking(services),
                services.live.running(),
                mailer.running(),
                tidying.running(services, tidy_every),
                transfers.running(services),
                rechecks.running(services),
                warnings.running(services),
            ):
                yield

    return routes.build(
        engine,
        open_context=context_opener(services),
        ready=ready,
        notes={"claims": "believed"} if services.meta is None else {},
        lifespan=lifespan,
        options=settings.options,
        schema_text=schema_text if settings.shows_introspection else None,
        graphiql=_graphiql(settings, services) if settings.shows_graphiql else None,
        browsers_to_graphiql=settings.shows_graphiql and not settings.in_production,
        callbacks=None if services.meta is None else _callbacks(services),
    )


def _callbacks(services: Services) -> Callbacks:
    async def delete(signed: str) -> str | None:
        code = await forgetting.request_deletion(services, signed)
        return None if code is None else code.reveal()

    return Callbacks(
        deauthorize=partial(forgetting.deauthorize, services),
        delete=delete,
        state=partial(forgetting.deletion_state, services),
    )


def _graphiql(settings: Settings, services: Services) -> ASGIApp:
    """GraphiQL, which in development may ask for the demo's people, and in production for nobody."""

    async def people() -> Sequence[Mapping[str, str]]:
        return [
            {"name": person.name, "role": person.role, "bearerToken": person.bearer_token.reveal()}
            for person in await demo_people.recall(services, settings.demo_people_file)
        ]

    asks: People | None = None if settings.in_production else people
    return Starlette(routes=graphiql_routes(people=asks))


@asynccontextmanager
async def asking(services: Services) -> AsyncIterator[None]:
    """Keep the connections to Meta open, where it is asked."""
    if services.meta is None:
        yield
    else:
        async with services.meta.running():
            yield


def _graph_client(settings: Settings) -> GraphClient | None:
    """Whom we ask who controls an account: Meta, the stand-in in this process, or nobody."""
    if settings.asks is MetaMode.OFF:
        return None
    if settings.asks is MetaMode.LIVE:
        return settings.graph_client()
    # Production does not load it.
    from graphql_api.sandbox import APP_ID, APP_SECRET  # noqa: PLC0415
    from graphql_api.sandbox.app import create_sandbox  # noqa: PLC0415

    return GraphClient(
        App(APP_ID, Secret(APP_SECRET), settings.meta_api_version),
        base_url="http://127.0.0.1",  # which nobody calls: the stand-in is in this process
        source="sandbox",
        transport=ASGITransport(create_sandbox(app_id=APP_ID, app_secret=APP_SECRET)),
        each_token_apart=True,  # a developer's `-down` disturbs nobody else
    )


def build_services(settings: Settings) -> Services:
    """What the services need, also for commands that serve nothing."""
    database = Database(settings.database, pool_size=settings.database_pool_size)
    channel = Channel(None if database.server is None else database.server.connect)
    if database.server is not None:
        database.server.when_left(channel.reconnect)
    return Services(
        database=database,
        live=Live(database, channel, _now, readers=max(1, settings.database_pool_size // 4)),
        keyring=settings.keyring(),
        passwords=Passwords(),
        rules=Rules(
            max_accounts_per_holder=settings.max_accounts_per_holder,
            api_token_lifetime=timedelta(days=settings.api_token_days),
            invitation_lifetime=timedelta(days=settings.invitation_days),
            idempotency_key_lifetime=timedelta(hours=settings.idempotency_key_hours),
            free_log_ins_per_account=settings.free_log_ins_per_account,
            free_log_ins_from_new_networks=settings.free_log_ins_from_new_networks,
            free_log_ins_per_address=settings.free_log_ins_per_address,
            free_registrations_per_address=settings.free_registrations_per_address,
            mails_per_recipient=settings.mails_per_recipient,
            invitations_per_user=settings.invitations_per_user,
            invitations_per_workspace=settings.invitations_per_workspace,
            verification_code_lifetime=timedelta(hours=settings.verification_code_hours),
            reset_code_lifetime=timedelta(minutes=settings.reset_code_minutes),
            retention=timedelta(days=settings.retention_days),
            event_retention=timedelta(days=settings.event_retention_days) or None,
            look_ups_per_user=settings.look_ups_per_user,
            access_requests_per_user=settings.access_requests_per_user,
            verifications_per_user=settings.verifications_per_user,
            writes_per_user=settings.writes_per_user,
            transfers_paused=settings.transfers_paused,
        ),
        clock=_now,
        meta=_graph_client(settings),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def from_environment() -> ASGIApp:
    """The server as the environment describes it: what a process of `serve` runs.

    Raises:
        Unusable: the settings cannot be used.
    """
    settings = read_settings()
    logs.configure(as_json=settings.in_production, level=settings.log_level)
    app = create_app(settings)
    # What there is now stays: the garbage collector need not walk it again and again while requests wait.
    # And what a request makes mostly goes with it, so there is little to find by looking as often as every
    # 700 objects, a twentieth of the time of a page. Far above, new objects no longer fit the caches.
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    return app


class KeyCheck:
    """Whether the sealing keys are those of the database: asked at start, or once the database is back."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._passed = False

    async def problems(self) -> Sequence[str]:
        """What is wrong with the keys, in words for the operator."""
        if self._passed:
            return ()
        problems = await sealing_keys.verify(self._services)
        self._passed = not problems
        for problem in problems:
            log.error("server.unusable_keys", problem=problem)
        return problems

    async def refuse_problems(self) -> None:
        """Start only with the right keys.

        Raises:
            Unusable: they are not.
        """
        problems = await self.problems()
        if problems:
            raise Unusable("\n".join(problems))


async def _refuse_old_database(database: Database) -> bool:
    """A database that was never migrated is a mistake to be told at once; one that is away comes back.

    Returns whether it is there.
    """
    try:
        state = await database.read(state_of)
    except TemporarilyUnavailable:
        log.warning("server.database_unreachable")
        return False
    if state is Migrated.BEHIND:
        raise Unusable("The database is not migrated: run `python -m graphql_api migrate` first")
    return True


def _trusted_documents(settings: Settings) -> Mapping[str, str]:
    """The documents of the manifest, by id; none where there is no manifest.

    Raises:
        Unusable: there should be one, and it cannot be read.
    """
    path = settings.trusted_documents_file
    if path is None:
        return {}
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise Unusable(f"TRUSTED_DOCUMENTS_FILE: {path} is longer than {MAX_MANIFEST_BYTES} bytes")
        return read_manifest(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unusable(f"TRUSTED_DOCUMENTS_FILE: {path} cannot be read ({error.strerror})") from None
    except (MalformedManifest, UnicodeDecodeError) as error:
        raise Unusable(f"TRUSTED_DOCUMENTS_FILE: {path} is no manifest: {error}") from None


def _refuse_unusable_documents(engine: Engine) -> None:
    """A trusted document that the schema or the limits refuse is told now, and not to a client later.

    Raises:
        Unusable: there are such.
    """
    problems = [
        f"TRUSTED_DOCUMENTS_FILE: the document {document_id[:100]} cannot be run: {problem['message']}"
        for document_id, document in engine.persisted.trusted.items()
        if (problem := engine.problem_of(document)) is not None
    ]
    if problems:
        raise Unusable("\n".join(problems[:MAX_PROBLEMS_TOLD]))
