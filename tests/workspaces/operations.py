"""The operations on teams and sharing, as tests send them."""

_ERRORS = "errors { __typename ... on InvalidInput { path message code } }"
_TEAM = "team { id name }"
_SHARED = "socialAccounts { id connectedTeams { name } } teams { id name }"


def _mutation(field: str, success: str) -> str:
    verb = field[0].upper() + field[1:]
    return (
        f"mutation {verb}($input: {verb}Input!) {{ {field}(input: $input) {{ __typename "
        f"... on {verb}Success {{ {success} }} ... on {verb}Failure {{ message {_ERRORS} }} }} }}"
    )


CREATE_TEAM = _mutation("createTeam", "team { id name workspace { id } }")
RENAME_TEAM = _mutation("renameTeam", _TEAM)
DELETE_TEAM = _mutation("deleteTeam", _TEAM)
ADD_TEAM_MEMBERS = _mutation("addTeamMembers", f"{_TEAM} users {{ id }}")
REMOVE_TEAM_MEMBERS = _mutation("removeTeamMembers", f"{_TEAM} users {{ id }}")
SHARE = _mutation("shareSocialAccounts", _SHARED)
UNSHARE = _mutation("unshareSocialAccounts", _SHARED)

TEAM = """
query Team($id: ID!, $first: Int, $after: String) {
  node(id: $id) {
    ... on Team {
      id name createdAt
      workspace { id viewerRole }
      members(first: $first, after: $after) { totalCount nodes { id } pageInfo { hasNextPage endCursor } }
      socialAccounts(first: $first, after: $after) {
        totalCount nodes { externalId connectedTeams { name } } pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""

TEAMS = """
query Teams($id: ID!, $first: Int, $last: Int, $after: String) {
  node(id: $id) {
    ... on Workspace {
      teams(first: $first, last: $last, after: $after) {
        totalCount nodes { name } pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""
