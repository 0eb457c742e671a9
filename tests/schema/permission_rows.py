"""Who gets what from every field of the schema: the rows of the permission matrix.

A row's key is the field, `Mutation.renameTeam`; words in brackets after it tell rows of one field apart. A row
says what each kind of caller gets, in the order of CALLERS, and how the arguments are made from the scene;
the operation itself is written from the schema. Outcomes:

    OK               an object, a list with something in it, or a success
    EMPTY            a list, with nothing in it
    NULL             nothing
    NOT_FOUND, ...   the codes of a failure, or its types; several are joined by `+`
    UNAUTHENTICATED  the code of a top-level error, as is FORBIDDEN

Whoever gets NOT_FOUND, NULL or FORBIDDEN gets it letter by letter, and statement by statement, as for an object
that does not exist. That is not compared for members of what they reach through an object that they see.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from tests.accounts.access_request_operations import key
from tests.api import Person
from tests.canaries import PASSWORD

CALLERS = ("anonymous", "stranger", "former member", "creator", "creator in the team", "admin")


@dataclass(frozen=True, slots=True)
class Scene:
    """A Workspace with people, a team, and an account and a Page that are shared with it; all are global ids.

    `member` is one more creator, and there is one more admin; the invitation is for nobody's address yet.
    `access_request` and `transfer_request` are the creator's, for the account that is not shared. `held_elsewhere` is the Instagram
    id of the account in the admin's Personal. `codes` were mailed: by a caller's token, one to verify their
    address and one to choose a new password; the anonymous caller has the member's.
    """

    people: Mapping[str, Person]
    workspace: str
    team: str
    shared: str
    page: str
    unshared: str
    admin: str
    member: str
    admins_api_token: str
    admins_facebook_account: str
    admins_account: str
    held_elsewhere: str
    access_request: str
    transfer_request: str
    invitation: str
    code: str
    members_email: str
    codes: Mapping[str, tuple[str, str]]

    def absent(self, *names: str) -> "Scene":
        """The same scene with ids that nothing has; or only these of them."""
        given = {
            "code": "sci_" + "A" * 49,
            "members_email": "nobody@example.com",
            "held_elsewhere": "999",
        }
        names = names or tuple(name for name in self.__dataclass_fields__ if name not in {"people", "codes"})
        absent: dict[str, Any] = {
            name: given.get(name) or _nothing_like(getattr(self, name)) for name in names
        }
        return replace(self, **absent)


def _nothing_like(global_id: str) -> str:
    kind = base64.b64decode(global_id).decode().partition(":")[0]
    return base64.b64encode(f"{kind}:{uuid4()}".encode()).decode()


Arguments = Callable[[Scene, Person], Mapping[str, Any]]


def _none(_scene: Scene, _by: Person) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Row:
    """What each kind of caller gets; the arguments (of a mutation: its input) as a caller sends them.

    `absent` names what of the scene is taken away to see that a refusal does not tell: nothing, for all of it.
    """

    outcomes: tuple[str, ...]
    arguments: Arguments = _none
    absent: tuple[str, ...] = ()


def _row(outcomes: str, arguments: Arguments = _none, *, absent: str = "") -> Row:
    return Row(tuple(outcomes.split()), arguments, tuple(absent.split()))


# In the order of CALLERS.
ANYBODY = "OK OK OK OK OK OK"
REGISTERED = "UNAUTHENTICATED OK OK OK OK OK"
NO_SUCH_CODE = "NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND"
NOBODY = "UNAUTHENTICATED NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND"
UNVERIFIED = "UNAUTHENTICATED NOT_ALLOWED NOT_ALLOWED NOT_ALLOWED NOT_ALLOWED NOT_ALLOWED"
ITS_OWNER = "UNAUTHENTICATED NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND OK"
IN_THE_TEAM = "UNAUTHENTICATED NOT_FOUND NOT_FOUND NOT_FOUND OK OK"
MEMBERS = "UNAUTHENTICATED NOT_FOUND NOT_FOUND OK OK OK"
ADMINS = "UNAUTHENTICATED NOT_FOUND NOT_FOUND NOT_ALLOWED NOT_ALLOWED OK"
SEES_TO_CHANGE = "UNAUTHENTICATED NOT_FOUND NOT_FOUND NOT_FOUND NOT_ALLOWED OK"
SHARERS = "UNAUTHENTICATED NOT_FOUND NOT_FOUND NOT_ALLOWED+NOT_FOUND NOT_ALLOWED OK"
SEEN_BY_MEMBERS = "NULL NULL NULL OK OK OK"
SEEN_IN_THE_TEAM = "NULL NULL NULL NULL OK OK"
SEEN_BY_ADMINS = "NULL NULL NULL NULL NULL OK"
FULL_IN_THE_TEAM = "NULL NULL NULL EMPTY OK OK"
SEEN_BY_WHO_ASKED = "NULL NULL NULL OK NULL OK"
FULL_FOR_ADMINS = "NULL NULL NULL EMPTY EMPTY OK"
FULL_FOR_WHO_ASKED = "NULL NULL NULL OK EMPTY OK"
OWN = "NULL OK OK OK OK OK"
OWN_OF_MEMBERS = "NULL EMPTY EMPTY OK OK OK"
OWN_OF_THE_ADMIN = "NULL EMPTY EMPTY EMPTY EMPTY OK"


def _connect(workspace: Callable[[Scene], str | None]) -> Arguments:
    def arguments(scene: Scene, by: Person) -> Mapping[str, Any]:
        external_id = str(uuid4().int % 10**15 + 1)
        login = _login(f";ig={external_id}")
        account = {"instagramUserId": external_id, "username": "x", "profilePictureUrl": ""}
        return {
            "facebookAccount": login,
            "instagramAccounts": [{**account, "accessToken": login["accessToken"]}],
            "workspaceId": workspace(scene),
        }

    return arguments


def _connect_alone() -> Arguments:
    """The input of a connect without a place."""
    connect = _connect(lambda _scene: None)

    def arguments(scene: Scene, by: Person) -> Mapping[str, Any]:
        asked = dict(connect(scene, by))
        del asked["workspaceId"]
        return asked

    return arguments


def _transfer(scene: Scene, _by: Person) -> Mapping[str, Any]:
    return {"transferRequestId": scene.transfer_request}


def _login(controls: str) -> Mapping[str, str]:
    """A FacebookAccountInput of somebody who controls these accounts at Meta, as the sandbox reads it."""
    return {"facebookUserId": "7001", "accessToken": f"TEST-any:fb=7001{controls}"}


def _reconnect(controls: str, account: Callable[[Scene], str]) -> Arguments:
    return lambda s, by: {"facebookAccount": _login(controls), "socialAccountIds": [account(s)]}


def _check(workspace: Callable[[Scene], str | None]) -> Arguments:
    def arguments(scene: Scene, _by: Person) -> Mapping[str, Any]:
        accounts = [{"platform": "INSTAGRAM", "externalId": "4", "displayName": "x"}]
        return {"input": {"socialAccounts": accounts, "workspaceId": workspace(scene)}}

    return arguments


def _ask(external_id: Callable[[Scene], str]) -> Arguments:
    return lambda s, by: {"workspaceId": s.workspace, "socialAccount": key(external_id(s))}


ROWS: dict[str, Row] = {
    # What can be read
    "Query.viewer": _row(OWN),
    "Query.node (User)": _row(SEEN_BY_MEMBERS, lambda s, by: {"id": s.admin}),
    "Query.node (Workspace)": _row(SEEN_BY_MEMBERS, lambda s, by: {"id": s.workspace}),
    "Query.node (Team)": _row(SEEN_BY_MEMBERS, lambda s, by: {"id": s.team}),
    "Query.node (InstagramAccount)": _row(SEEN_IN_THE_TEAM, lambda s, by: {"id": s.shared}),
    "Query.node (InstagramAccount, not shared)": _row(SEEN_BY_ADMINS, lambda s, by: {"id": s.unshared}),
    "Query.node (InstagramAccount, in a Personal)": _row(
        SEEN_BY_ADMINS, lambda s, by: {"id": s.admins_account}
    ),
    "Query.node (FacebookPage)": _row(SEEN_IN_THE_TEAM, lambda s, by: {"id": s.page}),
    "Query.node (FacebookAccount)": _row(SEEN_BY_ADMINS, lambda s, by: {"id": s.admins_facebook_account}),
    "Query.node (AccessRequest)": _row(SEEN_BY_WHO_ASKED, lambda s, by: {"id": s.access_request}),
    "Query.nodes": _row(SEEN_IN_THE_TEAM, lambda s, by: {"ids": [s.shared]}),
    "Query.nodes (not shared)": _row(SEEN_BY_ADMINS, lambda s, by: {"ids": [s.unshared]}),
    "Query.checkSocialAccounts": _row(
        "UNAUTHENTICATED NOT_FOUND NOT_FOUND NOT_ALLOWED NOT_ALLOWED OK",
        _check(lambda scene: scene.workspace),
    ),
    "Query.checkSocialAccounts (to the Personal)": _row(REGISTERED, _check(lambda scene: None)),
    "Query.invitationPreview": _row(ANYBODY, lambda s, by: {"code": s.code}),
    "Subscription.events": _row(
        "UNAUTHENTICATED FORBIDDEN FORBIDDEN OK OK OK", lambda s, by: {"workspaceId": s.workspace}
    ),
    "Subscription.events (of the Personal)": _row(REGISTERED),
    "Viewer.user": _row(OWN),
    "Viewer.accessRequests": _row("NULL EMPTY EMPTY OK EMPTY EMPTY"),
    "Viewer.apiTokens": _row(OWN),
    "Viewer.events": _row(OWN),
    "Viewer.invitations": _row("NULL EMPTY EMPTY EMPTY EMPTY EMPTY"),
    "Viewer.facebookAccounts": _row(OWN_OF_THE_ADMIN),
    "Viewer.socialAccounts": _row(OWN_OF_THE_ADMIN),
    "Viewer.workspaces": _row(OWN_OF_MEMBERS),
    "Workspace.accessRequests": _row(FULL_FOR_WHO_ASKED),
    "Workspace.events": _row(SEEN_BY_MEMBERS),
    "Workspace.invitations": _row(FULL_FOR_ADMINS),
    "Workspace.members": _row(SEEN_BY_MEMBERS),
    "Workspace.members (of a team)": _row(SEEN_BY_MEMBERS, lambda s, by: {"teamId": s.team}),
    "Workspace.teams": _row(SEEN_BY_MEMBERS),
    "Workspace.socialAccounts": _row(FULL_IN_THE_TEAM),
    "Workspace.socialAccounts (of a team)": _row(FULL_IN_THE_TEAM, lambda s, by: {"teamId": s.team}),
    "Team.workspace": _row(SEEN_BY_MEMBERS),
    "Team.members": _row(SEEN_BY_MEMBERS),
    "Team.socialAccounts": _row(FULL_IN_THE_TEAM),
    "AccessRequest.decidedBy": _row("NULL NULL NULL NULL NULL NULL"),
    "AccessRequest.grantedTeams": _row("NULL NULL NULL EMPTY NULL EMPTY"),
    "AccessRequest.requester": _row(SEEN_BY_WHO_ASKED),
    "AccessRequest.socialAccount": _row(SEEN_BY_ADMINS),
    "AccessRequest.workspace": _row(SEEN_BY_WHO_ASKED),
    "FacebookPage.connectedBy": _row(SEEN_IN_THE_TEAM),
    "FacebookPage.connectedTeams": _row(SEEN_IN_THE_TEAM),
    "FacebookPage.facebookAccount": _row(SEEN_BY_ADMINS),
    "FacebookPage.holder": _row(SEEN_IN_THE_TEAM),
    "InstagramAccount.connectedBy": _row(SEEN_IN_THE_TEAM),
    "InstagramAccount.connectedTeams": _row(SEEN_IN_THE_TEAM),
    "InstagramAccount.facebookAccount": _row(SEEN_BY_ADMINS),
    "InstagramAccount.holder": _row(SEEN_IN_THE_TEAM),
    "Query.node (TransferRequest)": _row(SEEN_BY_WHO_ASKED, lambda s, by: {"id": s.transfer_request}),
    "Viewer.transferRequests": _row("NULL EMPTY EMPTY OK EMPTY EMPTY"),
    "Viewer.incomingTransferRequests": _row("NULL EMPTY EMPTY EMPTY EMPTY EMPTY"),
    "Workspace.incomingTransferRequests": _row(FULL_FOR_ADMINS),
    "FacebookPage.health": _row(SEEN_IN_THE_TEAM),
    "InstagramAccount.health": _row(SEEN_IN_THE_TEAM),
    "Viewer.healthSummary": _row(OWN),
    "Workspace.healthSummary": _row(SEEN_BY_MEMBERS),
    # Oneself
    "Mutation.registerUser": _row(
        ANYBODY, lambda s, by: {"email": f"{uuid4().hex}@example.com", "password": PASSWORD, "name": "x"}
    ),
    "Mutation.createApiToken": _row(
        ANYBODY, lambda s, by: {"email": by.email, "password": PASSWORD, "label": "x", "scopes": []}
    ),
    "Mutation.revokeApiToken": _row(ITS_OWNER, lambda s, by: {"apiTokenId": s.admins_api_token}),
    "Mutation.changePassword": _row(
        REGISTERED, lambda s, by: {"currentPassword": PASSWORD, "newPassword": "CANARY-another password"}
    ),
    "Mutation.changeEmailAddress": _row(
        REGISTERED,
        lambda s, by: {"currentPassword": PASSWORD, "newEmail": f"{uuid4().hex}@example.com"},
    ),
    "Mutation.changeEmailAddress (somebody else's)": _row(
        REGISTERED, lambda s, by: {"currentPassword": PASSWORD, "newEmail": s.members_email}
    ),
    "Mutation.updateProfile": _row(REGISTERED, lambda s, by: {"name": "x"}),
    "Mutation.sendVerificationEmail": _row(REGISTERED, lambda s, by: {"email": by.email}),
    "Mutation.sendVerificationEmail (somebody else's)": _row(
        NOBODY, lambda s, by: {"email": s.members_email}
    ),
    "Mutation.verifyEmail": _row(ANYBODY, lambda s, by: {"code": s.codes[by.token][0]}),
    "Mutation.verifyEmail (by the other code)": _row(
        NO_SUCH_CODE, lambda s, by: {"code": s.codes[by.token][1]}
    ),
    "Mutation.requestPasswordReset": _row(ANYBODY, lambda s, by: {"email": by.email}),
    "Mutation.requestPasswordReset (nobody's)": _row(
        ANYBODY, lambda s, by: {"email": f"{uuid4().hex}@example.com"}
    ),
    "Mutation.resetPassword": _row(
        ANYBODY, lambda s, by: {"code": s.codes[by.token][1], "newPassword": "CANARY-another password"}
    ),
    "Mutation.resetPassword (by the other code)": _row(
        NO_SUCH_CODE, lambda s, by: {"code": s.codes[by.token][0], "newPassword": "CANARY-another password"}
    ),
    "Mutation.deleteUser": _row(REGISTERED, lambda s, by: {"currentPassword": PASSWORD}),
    "Mutation.disconnectFacebookAccount": _row(
        ITS_OWNER, lambda s, by: {"facebookAccountId": s.admins_facebook_account}
    ),
    # Workspaces and their members
    "Mutation.createWorkspace": _row(REGISTERED, lambda s, by: {"name": "x"}),
    "Mutation.renameWorkspace": _row(ADMINS, lambda s, by: {"workspaceId": s.workspace, "name": "x"}),
    "Mutation.deleteWorkspace": _row(ADMINS, lambda s, by: {"workspaceId": s.workspace}),
    "Mutation.inviteToWorkspace": _row(
        ADMINS, lambda s, by: {"workspaceId": s.workspace, "email": "x@example.com", "role": "ADMIN"}
    ),
    "Mutation.acceptInvitation": _row(NOBODY, lambda s, by: {"code": s.code}),
    "Mutation.acceptInvitation (by its id)": _row(UNVERIFIED, lambda s, by: {"invitationId": s.invitation}),
    "Mutation.declineInvitation": _row(UNVERIFIED, lambda s, by: {"invitationId": s.invitation}),
    "Mutation.revokeInvitation": _row(ITS_OWNER, lambda s, by: {"invitationId": s.invitation}),
    "Mutation.changeMemberRoles": _row(
        ADMINS,
        lambda s, by: {"workspaceId": s.workspace, "members": [{"userId": s.member, "role": "ADMIN"}]},
    ),
    "Mutation.removeMember": _row(ADMINS, lambda s, by: {"workspaceId": s.workspace, "userId": s.member}),
    "Mutation.leaveWorkspace": _row(MEMBERS, lambda s, by: {"workspaceId": s.workspace}),
    # Teams and sharing
    "Mutation.createTeam": _row(ADMINS, lambda s, by: {"workspaceId": s.workspace, "name": "x"}),
    "Mutation.renameTeam": _row(ADMINS, lambda s, by: {"teamId": s.team, "name": "x"}),
    "Mutation.deleteTeam": _row(ADMINS, lambda s, by: {"teamId": s.team}),
    "Mutation.addTeamMembers": _row(ADMINS, lambda s, by: {"teamId": s.team, "userIds": [s.member]}),
    "Mutation.removeTeamMembers": _row(ADMINS, lambda s, by: {"teamId": s.team, "userIds": [s.member]}),
    "Mutation.shareSocialAccounts": _row(
        SHARERS, lambda s, by: {"socialAccountIds": [s.shared], "teamIds": [s.team]}
    ),
    "Mutation.unshareSocialAccounts": _row(
        SHARERS, lambda s, by: {"socialAccountIds": [s.shared], "teamIds": [s.team]}
    ),
    # Social accounts
    "Mutation.connectSocialAccounts": _row(ADMINS, _connect(lambda scene: scene.workspace)),
    "Mutation.connectSocialAccounts (to the Personal)": _row(REGISTERED, _connect(lambda scene: None)),
    "Mutation.discoverSocialAccounts": _row(
        ADMINS, lambda s, by: {"accessToken": "TEST-ann", "workspaceId": s.workspace}
    ),
    "Mutation.discoverSocialAccounts (for the Personal)": _row(
        REGISTERED, lambda s, by: {"accessToken": "TEST-ann"}
    ),
    "Mutation.reconnectSocialAccounts": _row(IN_THE_TEAM, _reconnect(";ig=1", lambda s: s.shared)),
    "Mutation.reconnectSocialAccounts (a Page)": _row(IN_THE_TEAM, _reconnect(";page=1", lambda s: s.page)),
    "Mutation.reconnectSocialAccounts (not shared)": _row(
        ITS_OWNER, _reconnect(";ig=2", lambda s: s.unshared)
    ),
    "Mutation.recheckSocialAccounts": _row(IN_THE_TEAM, lambda s, by: {"socialAccountIds": [s.shared]}),
    "Mutation.recheckSocialAccounts (not shared)": _row(
        ITS_OWNER, lambda s, by: {"socialAccountIds": [s.unshared]}
    ),
    "Mutation.disconnectSocialAccounts": _row(SEES_TO_CHANGE, lambda s, by: {"socialAccountIds": [s.shared]}),
    "Mutation.disconnectSocialAccounts (a Page)": _row(
        SEES_TO_CHANGE, lambda s, by: {"socialAccountIds": [s.page]}
    ),
    "Mutation.disconnectSocialAccounts (not shared)": _row(
        ITS_OWNER, lambda s, by: {"socialAccountIds": [s.unshared]}
    ),
    "Mutation.moveSocialAccounts": _row(SEES_TO_CHANGE, lambda s, by: {"socialAccountIds": [s.shared]}),
    "Mutation.moveSocialAccounts (a Page)": _row(
        SEES_TO_CHANGE, lambda s, by: {"socialAccountIds": [s.page]}
    ),
    "Mutation.moveSocialAccounts (not shared)": _row(
        ITS_OWNER, lambda s, by: {"socialAccountIds": [s.unshared]}
    ),
    "Mutation.moveSocialAccounts (into the Workspace)": _row(
        "UNAUTHENTICATED NOT_FOUND NOT_FOUND NOT_ALLOWED+NOT_FOUND NOT_ALLOWED+NOT_FOUND OK",
        lambda s, by: {"socialAccountIds": [s.admins_account], "workspaceId": s.workspace},
    ),
    "Mutation.renameSocialAccount": _row(
        SEES_TO_CHANGE, lambda s, by: {"socialAccountId": s.shared, "nickname": "x"}
    ),
    "Mutation.renameSocialAccount (not shared)": _row(
        ITS_OWNER, lambda s, by: {"socialAccountId": s.unshared, "nickname": "x"}
    ),
    # Transfers
    "Mutation.requestSocialAccountTransfer": _row(UNVERIFIED, _connect_alone()),
    "Mutation.acceptTransferRequest": _row(
        "UNAUTHENTICATED NOT_FOUND NOT_FOUND NOT_ALLOWED NOT_FOUND OK", _transfer
    ),
    "Mutation.declineTransferRequest": _row(
        "UNAUTHENTICATED NOT_FOUND NOT_FOUND NOT_ALLOWED NOT_FOUND OK", _transfer
    ),
    "Mutation.withdrawTransferRequest": _row(
        "UNAUTHENTICATED NOT_FOUND NOT_FOUND OK NOT_FOUND NOT_ALLOWED", _transfer
    ),
    # Asking for access
    "Mutation.requestSocialAccountAccess": _row(
        "UNAUTHENTICATED NOT_FOUND NOT_FOUND OK OK NOT_ALLOWED", _ask(lambda scene: "2")
    ),
    "Mutation.requestSocialAccountAccess (shared)": _row(
        "UNAUTHENTICATED NOT_FOUND NOT_FOUND OK NOT_ALLOWED NOT_ALLOWED", _ask(lambda scene: "1")
    ),
    "Mutation.requestSocialAccountAccess (held elsewhere)": _row(
        "UNAUTHENTICATED NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND NOT_ALLOWED",
        _ask(lambda scene: scene.held_elsewhere),
        absent="held_elsewhere",
    ),
    "Mutation.withdrawAccessRequest": _row(
        "UNAUTHENTICATED NOT_FOUND NOT_FOUND OK NOT_FOUND NOT_ALLOWED",
        lambda s, by: {"accessRequestId": s.access_request},
    ),
    "Mutation.grantAccessRequest": _row(
        "UNAUTHENTICATED NOT_FOUND NOT_FOUND NOT_ALLOWED NOT_FOUND OK",
        lambda s, by: {"accessRequestId": s.access_request, "teamIds": [s.team]},
    ),
    "Mutation.declineAccessRequest": _row(
        "UNAUTHENTICATED NOT_FOUND NOT_FOUND NOT_ALLOWED NOT_FOUND OK",
        lambda s, by: {"accessRequestId": s.access_request, "reason": "x"},
    ),
}
