"""A server that does nothing but answer: what the load reaches against it is the load's own ceiling.

python -m benchmarks.ceiling PORT
"""

import asyncio
import sys
from typing import cast

import uvloop

_BODY = b'{"data":{"__typename":"Query"}}'
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(_BODY),
    _BODY,
)


class Answer(asyncio.Protocol):
    """Answers whatever comes, at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, _data: bytes) -> None:
        """Answer: a request of the load is one piece."""
        self._transport.write(_ANSWER)


async def serve(port: int) -> None:
    """Answer until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
