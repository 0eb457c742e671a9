"""A mutation in one file: its input, its success, its errors and its resolver, and nothing said twice.

    @arguments                     class RenameTeamInput
    @output                        class RenameTeamSuccess
    @mutation("Nothing was …")     async def rename_team(info, input: RenameTeamInput) -> RenameTeamSuccess | Refused[…]

The `…Failure`, the `…Error` union and the `…Result` union follow from these, and are made here.
"""

from collections.abc import Awaitable, Callable
from functools import reduce
from operator import or_
from types import new_class
from typing import Annotated, Any, get_args

import strawberry
from strawberry.types.field import StrawberryField

from graphql_api.domain.refusals import Refused
from graphql_api.schema.context import Info
from graphql_api.schema.described import Resolver, parameters, take_place_of, text
from graphql_api.schema.errors import errors_of, members_of

_MESSAGE = "A sentence for people, about the whole call."
_ERRORS = "What blocks the call, in the order of the input."


def mutation(
    failed: str, *, errors: str = _ERRORS, union: Any = None
) -> Callable[[Resolver], StrawberryField]:
    """Publish a mutation; what the function answers is a `…Success`, or a Refused, which becomes the `…Failure`.

    The types around it are named after the function. `failed` is the failure's message. The members of the
    `…Error` union are those that the Refused may hold; `union` is that union itself, where a success needs it.
    """

    def publish(resolver: Callable[[Info, Any], Awaitable[Any]]) -> StrawberryField:
        success, refused = get_args(resolver.__annotations__["return"])
        name = resolver.__name__.title().replace("_", "")
        field = name[0].lower() + name[1:]
        error = (
            union
            or Annotated[
                reduce(or_, members_of(refused)),
                strawberry.union(
                    f"{name}Error", description=f"The errors of `{field}`. The list of types is closed."
                ),
            ]
        )
        failure: Any = _failure(name, field, error, errors)
        result = Annotated[
            success | failure,  # type: ignore[valid-type]  # both are made at run time
            strawberry.union(
                f"{name}Result", description=f"The result of `{field}`: always one of these two types."
            ),
        ]

        async def resolve(info: Info, input: Any) -> Any:
            outcome = await resolver(info, input)
            if isinstance(outcome, Refused):
                return failure(message=failed, errors=errors_of(outcome))
            return outcome

        given, taken = parameters(resolver)
        description = strawberry.argument(description=text(taken.annotation))
        taken = taken.replace(annotation=Annotated[taken.annotation, description])
        take_place_of(resolver, resolve, [given, taken], result)
        return strawberry.mutation(resolve, description=text(resolver))

    return publish


def _failure(name: str, field: str, error: Any, errors: str) -> type:
    fields = {
        "__annotations__": {"message": str, "errors": list[error]},
        "message": strawberry.field(description=_MESSAGE),
        "errors": strawberry.field(description=errors),
    }
    failure = new_class(f"{name}Failure", exec_body=lambda body: body.update(fields))
    return strawberry.type(failure, description=f"`{field}` was refused. Nothing was changed.")
