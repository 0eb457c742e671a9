"""Which media types are spoken: what a request's body is in, and what its answer may be in.

GraphQL over HTTP: https://graphql.github.io/graphql-over-http/draft/#sec-Media-Types
"""

from functools import lru_cache

from .responses import JSON, RESPONSE_JSON, HttpRefusal

EVENT_STREAM = b"text/event-stream"

_OFFERED = (JSON, RESPONSE_JSON, EVENT_STREAM)  # in the order of preference at equal quality


@lru_cache(maxsize=256)
def negotiate(accept: bytes | None) -> bytes:
    """Return the media type to answer in; raises a 406 refusal where none fits.

    Without the header, or with wildcards only, it is `application/json`. An event stream must be asked
    for by name. Equal qualities are decided by the more specific range, then by the order sent.
    """
    if accept is None or not accept.strip():
        return JSON
    wanted: dict[bytes, tuple[float, int, int]] = {}
    for position, part in enumerate(accept.lower().split(b",")[:32]):
        media_range, *parameters = (piece.strip() for piece in part.split(b";"))
        quality = _quality(parameters)
        for offered in _OFFERED:
            specificity = _specificity(media_range, offered)
            if specificity and specificity > wanted.get(offered, (0.0, 0, 0))[1]:
                wanted[offered] = (quality, specificity, -position)
    fitting = [offered for offered in _OFFERED if offered in wanted and wanted[offered][0] > 0]
    if not fitting:
        raise HttpRefusal(
            406,
            "The answer can be application/graphql-response+json or application/json, "
            "and text/event-stream for subscriptions",
            "NOT_ACCEPTABLE",
        )
    return max(fitting, key=lambda offered: wanted[offered])


def for_errors(accept: bytes | None) -> bytes:
    """Return the media type to tell errors in: JSON, also for an event stream and where nothing fits."""
    try:
        media_type = negotiate(accept)
    except HttpRefusal:
        return JSON
    return JSON if media_type == EVENT_STREAM else media_type


@lru_cache(maxsize=256)
def is_json(content_type: bytes | None) -> bool:
    """Is a body of this content type JSON in UTF-8?"""
    if content_type is None:
        return False
    media_type, *parameters = (piece.strip() for piece in content_type.lower().split(b";"))
    if media_type != JSON:
        return False
    return all(
        parameter.replace(b'"', b"") in {b"", b"charset=utf-8", b"charset=utf8"} for parameter in parameters
    )


def _quality(parameters: list[bytes]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"q":
            try:
                quality = float(value)
            except ValueError:
                return 0.0
            return quality if 0.0 <= quality <= 1.0 else 0.0
    return 1.0


def _specificity(media_range: bytes, offered: bytes) -> int:
    """Say how closely a range names a type: 3 by name, 2 by kind, 1 by wildcard, 0 not at all."""
    if media_range == offered:
        return 3
    if offered == EVENT_STREAM:
        return 0
    if media_range == b"application/*":
        return 2
    return 1 if media_range == b"*/*" else 0
