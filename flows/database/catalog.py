"""RUN/assay.duckdb: small tables and views over all that a run wrote, for any DuckDB shell.

The tables are stored. The views read the run's Parquet files where the run lay when the catalog was
built, or where the session variable `run` says that it lies now; `open_catalog` sets it, so that a
run can move. Shards are Arrow files, which DuckDB cannot read by itself: `flows.database.query`
adds them.
"""

import glob
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from flows.database.stored_tables import TABLES, describe_run, list_ablations
from weighting.contracts.documents import Row, tabulate_rows
from weighting.contracts.manifest import MANIFEST_NAME, read_manifest
from weighting.errors import AssayError
from weighting.storage.files import replacing

NAME = "assay.duckdb"
STORAGE = "v1.1.0"  # the oldest DuckDB that knows what the views use, so that older shells open it
CODE = (".py", ".j2")  # files of this folder that decide what is in the database
# A catalog never fetches anything, and a query sees no variables of the program that runs it.
SETTINGS: Mapping[str, str] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}


def build_catalog(run: Path) -> Path:
    """Write RUN/assay.duckdb, whole or not at all, and return its path.

    Raises:
        AssayError: the run has no manifest, or DuckDB cannot read a file or write the database.
    """
    from flows.database.script import render_script  # slow to import; `assay query` seldom builds

    manifest = read_manifest(run)
    rows = describe_run(run, manifest, hash_origin(run))
    script = render_script(run, manifest)
    path = run / NAME
    with replacing(path) as temporary:
        temporary.unlink(missing_ok=True)  # from a process of this number that was killed
        _write(temporary, run, rows, script)
    # Left by a shell that was killed while it wrote to the catalog that was here before.
    _log_of(path).unlink(missing_ok=True)
    return path


@contextmanager
def open_catalog(run: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the catalog of a run for reading; build it where it is missing or out of date.

    Raises:
        AssayError: the run has no manifest, or another program is writing to the database.
    """
    read_manifest(run)
    path = run / NAME
    connection = _connect(path if path.exists() else build_catalog(run))
    if _read_origin(connection) != hash_origin(run):
        connection.close()
        connection = _connect(build_catalog(run))
    with connection:
        connection.execute("SET VARIABLE run = ?", [glob.escape(str(run.absolute()))])
        yield connection


def hash_origin(run: Path) -> str:
    """Return a hash of all that the stored tables come from, the code of the tables included."""
    digest = hashlib.sha256()
    code = sorted(path for path in Path(__file__).parent.iterdir() if path.suffix in CODE)
    for path in (*code, run / MANIFEST_NAME, *list_ablations(run)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _write(path: Path, run: Path, rows: Mapping[str, Iterable[Row]], script: str) -> None:
    try:
        with duckdb.connect(
            str(path), config={**SETTINGS, "storage_compatibility_version": STORAGE}
        ) as connection:
            for name, schema in TABLES.items():
                connection.register("given", tabulate_rows(rows[name], schema))
                connection.execute(f"CREATE TABLE {name} AS FROM given")
                connection.unregister("given")
            connection.execute(script)
    except duckdb.Error as error:
        raise AssayError(f"{run / NAME}: {_first_line(error)}") from None
    finally:
        _log_of(path).unlink(missing_ok=True)


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=True, config=dict(SETTINGS))
    except duckdb.Error as error:
        raise AssayError(f"{path}: {_first_line(error)}") from None


def _read_origin(connection: duckdb.DuckDBPyConnection) -> str | None:
    try:
        rows = connection.execute("SELECT value FROM facts WHERE key = 'origin'").fetchall()
    except duckdb.Error:  # a database of another making
        return None
    return str(rows[0][0]) if rows else None


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
