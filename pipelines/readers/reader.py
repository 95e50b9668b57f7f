"""A reader: all that is known of one format of input, in one record.

Packages add readers of their own as entry points of the group `assay.readers`; the entry point's
name is the reader's. See `pipelines.readers.registry`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipelines.readers.pages.extract import extract_records
from pipelines.readers.planned import read_planned
from pipelines.readers.records import Item, ReadOptions, Slice
from pipelines.readers.streams import open_stream


def _name_itself(spec: str) -> tuple[str, str]:
    return spec, spec


@dataclass(frozen=True, kw_only=True)
class Reader:
    """How one format is found, cut, read and fingerprinted.

    A reader takes files by their suffix, inputs by their scheme, folders by what is in them, or
    several of these.
    """

    meaning: str
    """What is a record of it, in a few words."""
    locator: str
    """How the place of a record in its file is worded, such as `row N`."""
    cut: Callable[[str, str, int], list[Slice]]
    """`cut(path, name, target_bytes)` plans slices; the planner fills in the reader's name."""
    scan: Callable[[Slice, ReadOptions], Iterator[Item]]
    """`scan(slice, options)` yields what is in a slice; it may raise OSError, and is then called
    again if the system told it. From `open_input` it also gets LostInput, which it lets pass."""
    digest: Callable[[str], tuple[int, str]] = open_stream.digest
    """`digest(path)` returns size in bytes and a hash of the content."""
    suffixes: tuple[str, ...] = ()
    """Of the files that it reads, lower case, compressed ones included."""
    scheme: str = ""
    """What an input's name begins with; after one that ends in a colon, a name must follow."""
    usage: str = ""
    """How a user names an input by the scheme, for error messages."""
    locate: Callable[[str], tuple[str, str]] = _name_itself
    """`locate(spec)` returns path and name in ids of an input that is named by the scheme."""
    owns: Callable[[str], bool] | None = None
    """`owns(folder)` says whether a folder as a whole is one input."""
    structured: bool = False
    """Records have fields, and the text one may hold HTML."""

    def is_named(self, spec: str) -> bool:
        """Say whether what a user names is an input of this reader's scheme."""
        head, colon, _ = spec.partition(":")
        head += colon if self.scheme.endswith(":") else ""
        return bool(self.scheme) and head == self.scheme

    def read(self, slice_: Slice, options: ReadOptions) -> Iterator[Item]:
        """Yield what is in a slice, in order.

        A local input that could not be read when the run was planned, or of which the slice knows
        nothing and that cannot be read now, becomes one reject `unreadable` for the rest of it.

        Raises:
            AssayError: an input could be read then and cannot be now, or is another one; a remote
                one cannot be read.
        """

        def scan() -> Iterator[Item]:
            items = self.scan(slice_, options)
            extracted = options.html and self.structured
            return extract_records(items, options.extractor) if extracted else items

        return read_planned(slice_, scan, self.digest)
