"""Files of folders that are no data: hidden ones, and what tools write beside the data.

They are neither read nor listed as ignored. A file that a user names is read, whatever its name.
"""

from pipelines.readers.registry import find_by_suffix

# Of Hadoop and Spark, Delta Lake, macOS.
FOLDERS = frozenset({"_temporary", "_delta_log", "_spark_metadata", "__MACOSX", "__pycache__"})
# Schemas and statistics of a whole table: no rows, or those of its other files.
STEMS = frozenset({"_metadata", "_common_metadata"})
# What `datasets` says of the files beside it.
DESCRIPTIONS = frozenset({"dataset_dict.json", "dataset_info.json", "dataset_infos.json"})
CHECKSUMS = ".crc"


def is_marker(name: str, folder: bool = False) -> bool:
    """Say whether a file (or folder) of this name, found in a folder, is no data.

    A name that begins with `_` is data if it has a suffix that a reader takes.
    """
    if name.startswith(".") or (folder and name in FOLDERS):
        return True
    if folder:
        return False
    told = name in DESCRIPTIONS or name.partition(".")[0] in STEMS or name.endswith(CHECKSUMS)
    return told or (name.startswith("_") and find_by_suffix(name) is None)
