"""Documents that callers name instead of sending: trusted ones, and those persisted automatically.

Trusted documents come from a manifest that client build tools write; an operator can allow nothing else.
Automatic persisted queries (the protocol that Apollo Client speaks) register themselves: a hash alone is
answered with PersistedQueryNotFound until somebody has sent hash and query together.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .errors import BAD_USER_INPUT, FormattedError, refusal

NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
UNKNOWN_DOCUMENT = "UNKNOWN_DOCUMENT_ID"
DOCUMENT_REQUIRED = "DOCUMENT_ID_REQUIRED"


class MalformedManifest(Exception):
    """The file is no manifest of trusted documents; the message says why."""


def read_manifest(text: str) -> dict[str, str]:
    """Return the documents of a manifest by id.

    Understands the two forms in use: `{"<id>": "<document>", ...}` (GraphQL Code Generator, Relay) and
    `{"format": "apollo-persisted-query-manifest", "operations": [{"id", "body", ...}, ...]}` (Apollo).
    """
    try:
        manifest = json.loads(text)
        if manifest.get("format") == "apollo-persisted-query-manifest":
            manifest = {operation["id"]: operation["body"] for operation in manifest["operations"]}
        documents = dict(manifest)
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        raise MalformedManifest("it is not in a known form") from None
    if not all(isinstance(item, str) and item for pair in documents.items() for item in pair):
        raise MalformedManifest("every id and every document must be a string that is not empty")
    if not documents:
        raise MalformedManifest("it holds no document")
    return documents


@dataclass(slots=True)
class PersistedDocuments:
    """Finds the text of a document that a caller names.

    `trusted` is fixed. Those that persist themselves are among the documents kept, and go with them.
    """

    trusted: Mapping[str, str] = field(default_factory=dict)
    only_trusted: bool = False
    automatic: bool = True

    def find_trusted(self, document_id: str) -> str | FormattedError:
        """Return the trusted document of this id."""
        document = self.trusted.get(document_id)
        return refusal("No document has this documentId", UNKNOWN_DOCUMENT) if document is None else document

    def find_automatic(
        self, extension: object, query: str | None, find: Callable[[str], str | None]
    ) -> str | FormattedError:
        """Return the document that the extension `persistedQuery` names, or that came along with its hash.

        `find` returns the document kept under a hash.
        """
        digest = extension.get("sha256Hash") if isinstance(extension, dict) else None
        if not isinstance(extension, dict) or not isinstance(digest, str) or extension.get("version") != 1:
            return refusal("extensions.persistedQuery must hold version 1 and a sha256Hash", BAD_USER_INPUT)
        if query is None and digest in self.trusted:
            return self.trusted[digest]  # so Apollo Client names the documents of its manifest
        if self.only_trusted or not self.automatic:
            return refusal("PersistedQueryNotSupported", NOT_SUPPORTED)
        if query is None:
            return find(digest) or refusal("PersistedQueryNotFound", NOT_FOUND)
        if not hmac.compare_digest(digest.encode(), hash_of(query).encode()):
            return refusal("The sha256Hash is not the hash of the query", BAD_USER_INPUT)
        return query


def hash_of(query: str) -> str:
    """Return the SHA-256 of a document, in lower-case hexadecimal digits."""
    return hashlib.sha256(query.encode()).hexdigest()
