"""The `Info` that resolvers get: Strawberry's own, built only as far as a resolver looks into it."""

from typing import Any

from graphql import FieldNode, GraphQLResolveInfo
from strawberry.types.info import Info

from graphql_api.execution.compiled.execution import Execution, FieldPlan, Trail


class LazyInfo(Info[Any, Any]):
    """Strawberry's `Info` whose raw half, 15 attributes and a linked path, is made on first use.

    Most resolvers ask for the context and nothing else.
    """

    _made: GraphQLResolveInfo[Any] | None = None

    def __init__(self, ex: Execution, plan: FieldPlan, parent_trail: Trail) -> None:
        self._ex = ex
        self._plan = plan
        self._parent_trail = parent_trail

    @property
    def context(self) -> Any:
        """The context of the run."""
        return self._ex.context_value

    @property
    def field_nodes(self) -> list[FieldNode]:
        """Where the operation asks for this field; known without the raw half."""
        return [details.node for details in self._plan.details]

    @property
    def root_value(self) -> Any:
        """The root value of the run."""
        return self._ex.root_value

    @property
    def _field(self) -> Any:  # type: ignore[override]
        return self._plan.strawberry_field

    @property
    def _raw_info(self) -> GraphQLResolveInfo[Any]:  # type: ignore[override]
        if self._made is None:
            plan = self._plan
            self._made = self._ex.raw_info(plan, (self._parent_trail, plan.key, plan.parent.name))
        return self._made
