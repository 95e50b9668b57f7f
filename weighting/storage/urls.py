"""URLs that were taken for paths, for error messages."""

import re
from pathlib import Path

LOCAL_ONLY = "must be a local file or folder; copy it to this machine"
# `Path` makes one slash of two, and may have put a folder before.
URL = re.compile(r"(?:^|/)(?P<scheme>[a-z][a-z0-9+.-]+):/(?P<rest>.+)")


def find_url(path: Path) -> str | None:
    """Return the URL that somebody gave as a path; None where something is there, or it is none."""
    url = URL.search(str(path))
    return f"{url['scheme']}://{url['rest']}" if url and not path.exists() else None
