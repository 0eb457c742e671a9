"""What the endpoint's transports share."""

from dataclasses import dataclass, field

from graphql_api.domain.faults import Fault
from graphql_api.domain.networks import network_of
from graphql_api.execution.engine import Engine, Outcome, refused
from graphql_api.execution.errors import FormattedError, masked
from graphql_api.schema.context import Caller

from .callers import CallerContext, OpenContext
from .options import Options
from .quota import Quota
from .shutdown import Shutdown
from .turns import Turns


@dataclass(slots=True)
class Front:
    """The engine, how contexts are opened, the options, the streams that are open, and who begins next."""

    engine: Engine
    open_context: OpenContext
    options: Options
    shutdown: Shutdown
    streams: Quota = field(init=False)
    turns: Turns = field(default_factory=Turns, init=False)

    def __post_init__(self) -> None:
        self.streams = Quota(self.options.max_streams_per_user)

    def stream_key(self, context: CallerContext, caller: Caller) -> str:
        """Return by what the streams of a caller are counted."""
        viewer = context.viewer_id
        if viewer is not None:
            return f"user {viewer}"
        return f"network {network_of(caller.client_address)}"

    def write(self, outcome: Outcome) -> tuple[Outcome, bytes]:
        """Return an outcome and its JSON; data that JSON cannot hold becomes a masked error."""
        try:
            return outcome, outcome.encode()
        except TypeError as error:
            failed = refused(masked(self.engine.report_error, error, None))
            return failed, failed.encode()


def told(fault: Fault) -> FormattedError:
    """Return a fault as the error a caller sees."""
    return {"message": fault.message, "extensions": fault.extensions}
