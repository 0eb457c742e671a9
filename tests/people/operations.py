"""The operations on members, Workspaces and users, as tests send them."""

_ERRORS = "errors { __typename ... on InvalidInput { path message code } }"
_CREDENTIAL_ERRORS = "errors { __typename ... on InvalidInput { path message code } ... on CredentialsRejected { path message } }"
_WORKSPACE = "workspace { id name viewerRole }"


def _mutation(field: str, success: str, errors: str = _ERRORS) -> str:
    verb = field[0].upper() + field[1:]
    return (
        f"mutation {verb}($input: {verb}Input!) {{ {field}(input: $input) {{ __typename "
        f"... on {verb}Success {{ {success} }} ... on {verb}Failure {{ message {errors} }} }} }}"
    )


CHANGE_ROLES = _mutation(
    "changeMemberRoles", f"{_WORKSPACE} members {{ id role joinedAt user {{ id name }} teams {{ name }} }}"
)
REMOVE = _mutation("removeMember", f"{_WORKSPACE} user {{ id name }}")
LEAVE = _mutation("leaveWorkspace", f"{_WORKSPACE}")
RENAME_WORKSPACE = _mutation("renameWorkspace", _WORKSPACE)
DELETE_WORKSPACE = _mutation("deleteWorkspace", _WORKSPACE)
UPDATE_PROFILE = _mutation("updateProfile", "user { id name email }")
DELETE_USER = _mutation("deleteUser", "user { id name email }", _CREDENTIAL_ERRORS)
