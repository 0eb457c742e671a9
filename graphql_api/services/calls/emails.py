"""E-mail addresses: what is one, and when two are the same."""

import unicodedata

from graphql_api.domain.inputs import InvalidInputCode, Problems

_LONGEST = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets
_LONGEST_LOCAL_PART = 64  # the same, section 4.5.3.1.1


def check_email(problems: Problems, path: tuple[str, ...], value: str) -> tuple[str, str]:
    """Returns the address as it is written to, and the key by which addresses are compared.

    The key ignores case (in the local part too: no mail system of today tells `A@` from `a@`) and the
    form of the domain (IDNA). Nothing provider-specific is folded: dots and plus signs count.
    """
    address = value.strip()
    if not address:
        problems.add(path, InvalidInputCode.REQUIRED, "An e-mail address is required")
        return "", ""
    if len(address) > _LONGEST:
        problems.add(path, InvalidInputCode.TOO_LONG, f"An e-mail address has at most {_LONGEST} characters")
        return "", ""
    if len(address.rpartition("@")[0]) > _LONGEST_LOCAL_PART:
        problems.add(
            path,
            InvalidInputCode.TOO_LONG,
            f"An e-mail address has at most {_LONGEST_LOCAL_PART} characters before the @",
        )
        return "", ""
    # Takes long to import, and a server that starts does not need it yet.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    try:
        # Not "globally deliverable": that refuses .test and .local, with which people try things out.
        valid = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except (EmailNotValidError, UnicodeError):
        valid = None
    if valid is None or "." not in valid.domain.strip("."):
        problems.add(path, InvalidInputCode.INVALID_FORMAT, "This is not an e-mail address")
        return "", ""
    domain = valid.ascii_domain or valid.domain
    key = unicodedata.normalize("NFKC", valid.local_part).casefold() + "@" + domain.lower()
    if len(key) > _LONGEST:  # one character can become eighteen (U+FDFA)
        problems.add(path, InvalidInputCode.TOO_LONG, f"An e-mail address has at most {_LONGEST} characters")
        return "", ""
    return valid.normalized, key


def deliverable(address: str) -> str:
    """The form of an address that mail servers take: its domain in ASCII (IDNA)."""
    from email_validator import validate_email  # noqa: PLC0415 - as above

    valid = validate_email(address, check_deliverability=False, globally_deliverable=False)
    return valid.ascii_email or f"{valid.local_part}@{valid.ascii_domain}"
