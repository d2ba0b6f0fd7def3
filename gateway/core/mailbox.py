"""Mail addresses as every mail server takes them: the domain in ASCII (IDNA), and no other letters before the @."""

import idna

PLAIN_ONLY = (
    "the part before the @ has letters that many mail servers do not take; give an address with a to z, digits,"
    " and . _ + - there"
)
"""The text of the error for an address that is not plain."""


def is_plain(address: str) -> bool:
    """Whether a server without SMTPUTF8 takes it: all before the @ is ASCII. The domain may be in any letters."""
    return address.rpartition("@")[0].isascii()


def plain(address: str) -> str:
    """Returns the address itself. Raises ValueError with the text to show when it is not plain."""
    if not is_plain(address):
        raise ValueError(PLAIN_ONLY)
    return address


def for_the_wire(address: str) -> str:
    """The address with its domain in ASCII, as DNS and mail servers know it.

    Raises ValueError when no such domain can exist.
    """
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}{at}{idna.encode(domain).decode('ascii')}"
    except UnicodeError as error:
        raise ValueError("the domain, the part behind the @, cannot exist in the mail system") from error
