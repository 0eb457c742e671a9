"""Answers to what never becomes a request."""


def refusal(status: bytes, message: bytes, code: bytes) -> bytes:
    """Return an answer to what cannot be read as a request; the connection ends with it."""
    body = b'{"errors":[{"message":"%s","extensions":{"code":"%s"}}]}' % (message, code)
    return (
        b"HTTP/1.1 %s\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: %d\r\n"
        b"connection: close\r\n\r\n%s"
    ) % (status, len(body), body)
