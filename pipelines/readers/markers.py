"""Names of folders' files that are no data: hidden ones, and what tools write beside the data.

A file that a user names is read, whatever its name.
"""

# Schemas and statistics of a whole table: no rows, or those of its other files.
STEMS = frozenset({"_metadata", "_common_metadata"})
# What `datasets` says of the files beside it.
DESCRIPTIONS = frozenset({"dataset_dict.json", "dataset_info.json", "dataset_infos.json"})
CHECKSUMS = ".crc"
DELTA_LOG = "_delta_log"  # of a Delta table, in its folder


def is_marker(name: str) -> bool:
    """Say whether a file of this name says something of the data beside it, and is none."""
    stem = name.partition(".")[0]
    return stem in STEMS or name in DESCRIPTIONS or name.endswith(CHECKSUMS)


def is_hidden(name: str) -> bool:
    """Say whether a file or folder of this name is hidden."""
    return name.startswith(".")


def is_private(name: str) -> bool:
    """Say whether a file or folder is a tool's own, as Spark's `_temporary`; partitions are not."""
    return name.startswith("_") and "=" not in name
