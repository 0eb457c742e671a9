"""A Workspace with an account that a creator asks for, and what everybody sees of the request."""

import json
from dataclasses import dataclass
from typing import Any

from tests.accounts import access_request_operations as asking
from tests.api import Api, Person
from tests.database import Database, make_team

X = "17841405902213202"
JANE = {"name": "jane.doe", "on": "INSTAGRAM"}  # as the requester wrote it
USER = {"name": f"user_{X}", "on": "INSTAGRAM"}


@dataclass
class Scene:
    """An admin's Workspace that holds X, with a creator who does not see it, and a team."""

    admin: Person
    creator: Person
    workspace: str
    team: str

    async def ask(self, person: Person | None = None, **changed: Any) -> Any:
        """Ask for X, by default as the creator."""
        value = {"workspaceId": self.workspace, "socialAccount": asking.key(X, "jane.doe"), **changed}
        return await (person or self.creator).mutate(asking.REQUEST_ACCESS, **value)

    async def asked(self) -> str:
        """A pending request of the creator's; its id."""
        return str((await self.ask())["accessRequest"]["id"])


async def make_scene(api: Api, database: Database) -> Scene:
    ada, eve = await api.register("ada"), await api.register("eve")
    workspace = await ada.create_workspace("Agency")
    await ada.bring_in(eve, workspace)
    await ada.connect(X, workspace=workspace)
    return Scene(ada, eve, workspace, await make_team(database, workspace, "Film"))


async def requests_to(person: Person, workspace: str, **variables: Any) -> Any:
    found = await person.execute(asking.REQUESTS_TO, {"id": workspace, **variables})
    return found["node"]["accessRequests"]


async def requests_of(person: Person, **variables: Any) -> Any:
    return (await person.execute(asking.MY_REQUESTS, variables))["viewer"]["accessRequests"]


async def events(database: Database, *kinds: str) -> list[tuple[str, str, dict[str, str]]]:
    """The events of these kinds: whose history, which kind, and what they tell, with the subject's name."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    rows = await database.rows(
        f"SELECT kind, user_id, subject_name, platform, details FROM events WHERE kind IN ({listed})"
    )
    return sorted(
        (
            (
                "workspace" if row["user_id"] is None else "personal",
                row["kind"],
                {
                    **(json.loads(row["details"]) if isinstance(row["details"], str) else row["details"]),
                    "name": row["subject_name"],
                    **({"on": row["platform"]} if row["platform"] else {}),
                },
            )
            for row in rows
        ),
        key=str,
    )
