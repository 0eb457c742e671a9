"""The commands: `python -m graphql_api COMMAND`."""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, TextIO, TypeVar

import click
import uvicorn

from graphql_api.adapters import logs
from graphql_api.adapters.sealing import new_key
from graphql_api.app import KeyCheck, asking, build_services, from_environment
from graphql_api.domain.faults import TemporarilyUnavailable
from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.sandbox import APP_ID, APP_SECRET
from graphql_api.schema import demo as demo_page
from graphql_api.schema import schema_text
from graphql_api.services.calls.call import Services
from graphql_api.services.upkeep import demo as demo_service
from graphql_api.services.upkeep import demo_people, forgetting, rechecks, sealing_keys, tidying
from graphql_api.services.upkeep import holds as holds_service
from graphql_api.settings import MetaMode, Settings, Unusable, read_settings
from graphql_api.storage.faults import NoConnection
from graphql_api.storage.revisions import Migrated, state_of
from graphql_api.web.graphiql import is_built
from graphql_api.web.server import build_server

T = TypeVar("T")
_META_ID = re.compile(r"[1-9][0-9]{0,19}")


@click.group()
def cli() -> None:
    """The server that connects creators' social accounts."""


@cli.group()
def holds() -> None:
    """Who holds a social account."""


@cli.group()
def meta() -> None:
    """What Meta asks of us."""


@cli.group()
def keys() -> None:
    """The keys that access tokens are sealed with."""


@cli.command()
@click.option("--host", help="The address to listen on; HOST if left out.")
@click.option("--port", type=int, help="The port to listen on; PORT if left out.")
@click.option("--demo", is_flag=True, help="First migrate, and fill an empty database with the demo.")
def serve(host: str | None, port: int | None, *, demo: bool) -> None:
    """Serve GraphQL over HTTP and WebSocket until told to stop."""
    settings = read_settings()
    settings.keyring()  # made, or refused, before any process starts
    host, port = host or settings.host, settings.port if port is None else port
    logs.configure(as_json=settings.in_production, level=settings.log_level)
    if demo:
        _prepare(settings, f"http://{host}:{port}")
    if not settings.in_production:
        _greet(settings, host, port)
    if warning := settings.exposure(host):
        click.echo(warning, err=True)
    with suppress(KeyboardInterrupt):  # uvicorn raises it again after it has stopped as it should
        build_server(from_environment, settings.options, host=host, port=port).run()


@cli.command()
def migrate() -> None:
    """Bring the database to this version's tables; does nothing when it is there already."""
    settings = read_settings()
    logs.configure(as_json=settings.in_production, level=settings.log_level)
    _migrate(settings)
    click.echo("The database is migrated.")


def _migrate(settings: Settings) -> None:
    # Alembic takes long to import, and most commands do without it.
    from graphql_api.storage.migrations import migrate as migrate_database  # noqa: PLC0415

    try:
        asyncio.run(migrate_database(settings.database))
    except NoConnection:
        _refuse("The database cannot be reached.")


@cli.command()
@click.argument("output", type=click.Path(path_type=Path), required=False)
def schema(output: Path | None) -> None:
    """Write the schema in GraphQL's schema language to the file OUTPUT, or to the standard output."""
    text = schema_text()
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")


@cli.command()
def demo() -> None:
    """Fill an empty database with people, workspaces and accounts, and print operations to try."""
    settings = read_settings()
    filled = _fill(settings, f"http://{settings.host}:{settings.port}")
    if isinstance(filled, demo_service.NotFilled):
        earlier = settings.demo_operations_file
        _refuse(
            filled.message + (f"\nWhat an earlier demo printed is in {earlier}." if earlier.exists() else "")
        )
    click.echo(filled)


def _fill(settings: Settings, base: str) -> str | demo_service.NotFilled:
    """Fill an empty database, and leave who is in it under `var/demo/`; what to print."""
    if settings.in_production:
        raise Unusable("The demo's people are made up: it does not fill a production database")
    if settings.asks is MetaMode.LIVE:
        raise Unusable("META_MODE: the demo has test tokens, which Meta refuses; use sandbox")
    filled = _run(settings, demo_service.fill, verified=True)
    if isinstance(filled, demo_service.NotFilled):
        return filled
    page = demo_page.page(filled, base)
    demo_people.keep(filled, settings.demo_people_file)
    demo_people.write_private(settings.demo_operations_file, page + "\n")
    return page


def _prepare(settings: Settings, base: str) -> None:
    """Migrate a database that is behind, and fill an empty one; a filled one is left as it is."""
    if settings.in_production:
        raise Unusable("--demo is for development: run `python -m graphql_api migrate` before you serve")
    if _run(settings, lambda services: services.database.read(state_of)) is Migrated.BEHIND:
        _migrate(settings)
    if isinstance(_fill(settings, base), str):
        click.echo(f"The database is filled with the demo: see {settings.demo_operations_file}\n", err=True)


@cli.command()
def tidy() -> None:
    """Remove what has expired: keys of retries, invitations, codes, counters, API tokens, mails, events."""
    removed = _run(read_settings(), tidying.tidy)
    if removed is None:
        _refuse("Another process is tidying this database just now.")
    for table, rows in removed.items():
        click.echo(f"{table:20}  {rows:>9} removed")


@holds.command("show")
@click.argument("key", metavar="PLATFORM:ID")
def show_hold(key: str) -> None:
    """Print who holds a social account, for example INSTAGRAM:17841405902213202.

    The place that holds it sees that you looked.
    """
    wanted = _key(key)
    hold = _run(read_settings(), lambda services: holds_service.show(services, wanted))
    if hold is None:
        _refuse(f"Nobody holds {key}.")
    click.echo(hold.display_name)
    click.echo(f"held by        {hold.place}")
    click.echo(f"since          {hold.since:%Y-%m-%d %H:%M} UTC")
    click.echo(f"health         {hold.health}")
    click.echo(f"proof          {hold.proof}")
    click.echo(f"open requests  {hold.open_requests}")


@holds.command("release")
@click.argument("key", metavar="PLATFORM:ID")
@click.option("--reason", required=True, help="Why; its place reads it.")
def release_hold(key: str, reason: str) -> None:
    """Disconnect a social account from the place that holds it, and tell the place why."""
    wanted = _key(key)
    if not _run(read_settings(), lambda services: holds_service.release(services, wanted, reason)):
        _refuse(f"Nobody holds {key}.")
    click.echo(f"{key} is free.")


def _key(text: str) -> SocialKey:
    platform, _, external_id = text.partition(":")
    if platform not in set(Platform) or _META_ID.fullmatch(external_id) is None:
        _refuse("An account is written as its platform and its id: INSTAGRAM:17841405902213202")
    return SocialKey(Platform(platform), external_id)


@meta.command("delete")
@click.argument("file", type=click.File())
def delete_data(file: TextIO) -> None:
    """Delete what there is of the Facebook users in FILE, one id a line; - is the standard input.

    May be stopped and run again.
    """
    ids = [line.strip() for line in file if line.strip()]
    wrong = [number for number, one in enumerate(ids, 1) if _META_ID.fullmatch(one) is None]
    if wrong:
        _refuse(f"This is no id of a Facebook user: number {wrong[0]} of {len(ids)}. Nothing was deleted.")

    async def work(services: Services) -> int:
        done = 0
        with click.progressbar(ids, label="Deleting", file=sys.stderr) as bar:
            for one in bar:
                done += await forgetting.delete(services, one, until=services.clock())
        return done

    deleted = _run(read_settings(), work)
    click.echo(f"Deleted {deleted} accounts of {len(ids)} Facebook users.")


@cli.command()
@click.option("--all", "everything", is_flag=True, help="Also what was checked lately.")
def recheck(*, everything: bool) -> None:
    """Ask Meta whether our access works, for each account that is due. May be stopped and run again."""
    with click.progressbar(length=1, label="Asking Meta", file=sys.stderr) as bar:

        def progress(tally: rechecks.Tally, due: int) -> None:
            bar.length = max(tally.accounts + due, 1)
            bar.update(tally.accounts - bar.pos)

        tally = _run(
            read_settings(),
            lambda services: rechecks.recheck(services, progress, everything=everything),
            verified=True,
        )
    if tally is None:
        _refuse("META_MODE=off: nobody is asked.")
    click.echo(f"Asked about {tally.accounts} accounts of {tally.logins} logins.")


@keys.command("new")
@click.argument("key_id")
def new(key_id: str) -> None:
    """Print a new sealing key, for SEALING_KEYS or its file; KEY_ID is 1 to 20 letters, digits, - or _."""
    click.echo(new_key(key_id))


@keys.command("list")
def list_keys() -> None:
    """List the sealing keys, and how many values each one seals."""
    for key in _run(read_settings(), sealing_keys.uses):
        click.echo(f"{key.id:20}  {key.sealed:>9} sealed  {key.standing}")


@keys.command("reseal")
def reseal() -> None:
    """Seal everything with the first key. May be stopped and run again; servers may run meanwhile.

    First restart every server with the new key in front and the old one behind it.
    """

    def progress(done: int, rest: int) -> None:
        click.echo(f"{done} resealed, {rest} to go")

    resealed = _run(read_settings(), lambda services: sealing_keys.reseal(services, progress), verified=True)
    click.echo(f"{resealed.done} values are sealed with the first key now.")
    if resealed.failed:
        _refuse(f"{resealed.failed} values do not open with any key of the ring, and are as they were.")


@keys.command("retire")
@click.argument("key_id")
def retire(key_id: str) -> None:
    """Let the server start without a key that seals nothing any more."""
    reason = _run(read_settings(), lambda services: sealing_keys.retire(services, key_id))
    if reason is not None:
        _refuse(reason)
    click.echo(f"The key {key_id} is retired: take it out of SEALING_KEYS or its file.")


@cli.command("meta-sandbox")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=int, default=8001, show_default=True, help="The port to listen on.")
@click.option("--app-id", default=APP_ID, show_default=True, help="The app's id.")
@click.option("--app-secret", default=APP_SECRET, show_default=True, help="The app's secret.")
@click.option("--delay", type=click.FloatRange(min=0), default=0, help="Seconds that each call takes.")
def meta_sandbox(host: str, port: int, app_id: str, app_secret: str, delay: float) -> None:
    """Serve a stand-in for Meta's Graph API and its log-in dialog until told to stop; needs no settings."""
    from graphql_api.sandbox.app import create_sandbox  # noqa: PLC0415 - no other command needs it

    base = f"http://{host}:{port}"
    click.echo(
        f"Log-in dialog  {base}/dialog/oauth?client_id={app_id}&response_type=token&redirect_uri=…", err=True
    )
    click.echo("Start the server with these settings:", err=True)
    click.echo(
        f"META_MODE=live META_GRAPH_URL={base} META_APP_ID={app_id} META_APP_SECRET={app_secret}", err=True
    )
    uvicorn.run(
        create_sandbox(app_id=app_id, app_secret=app_secret, delay=delay),
        host=host,
        port=port,
        access_log=False,  # addresses hold tokens
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=1,  # a call without an answer would keep it waiting
    )


def _run(settings: Settings, work: Callable[[Services], Awaitable[T]], *, verified: bool = False) -> T:
    """Run what a service does, in an event loop of its own; `verified`: only with the database's own keys."""
    logs.configure(as_json=settings.in_production, level=settings.log_level)
    services = build_services(settings)

    async def run() -> T:
        async with services.database, asking(services):
            if verified and await services.database.read(state_of) is not Migrated.BEHIND:
                await KeyCheck(services).refuse_problems()
            return await work(services)

    try:
        return asyncio.run(run())
    except TemporarilyUnavailable:
        _refuse("The database cannot be reached.")


def _refuse(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)


def _greet(settings: Settings, host: str, port: int) -> None:
    """Say where things are."""
    base = f"http://{host}:{port}"
    click.echo(f"Start page  {base}/", err=True)
    if settings.shows_graphiql:
        click.echo(f"GraphiQL    {base}/graphiql{'' if is_built() else '  (not built)'}", err=True)
    if settings.shows_introspection:
        click.echo(f"Schema      {base}/schema.graphql", err=True)
    click.echo(f"\nMails       {settings.outlet()}", err=True)
    click.echo(f"Meta        {_WHOM[settings.asks]}\n", err=True)


_WHOM = {
    MetaMode.SANDBOX: "a sandbox, with the test tokens of docs/sandbox.md (META_MODE=sandbox)",
    MetaMode.LIVE: "is asked who controls an account (META_MODE=live)",
    MetaMode.OFF: "is not asked: every claim is believed (META_MODE=off)",
}


def main() -> None:
    """Run a command; what is wrong with the settings is said in words."""
    try:
        cli()
    except Unusable as error:
        click.echo(f"This cannot be done:\n{error}", err=True)
        sys.exit(78)  # EX_CONFIG
