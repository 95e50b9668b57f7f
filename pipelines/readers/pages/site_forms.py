"""Forms of a site, as its search, told from those of an article, as a quiz."""

from collections.abc import Iterable

NAMES = ("search", "login", "signin", "sign-in", "subscribe", "newsletter", "comment")
NAMED_BY = ("class", "id", "action", "role", "name")
INPUTS = frozenset(("search", "password"))


def is_of_site(attributes: Iterable[str | None], inputs: Iterable[str | None]) -> bool:
    """Say whether a form is its site's, by its attributes (`NAMED_BY`) and its inputs' types."""
    names = " ".join(filter(None, attributes)).lower()
    if any(name in names for name in NAMES):
        return True
    return any(kind.strip().lower() in INPUTS for kind in inputs if kind)
