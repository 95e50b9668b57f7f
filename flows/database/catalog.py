"""RUN/assay.duckdb: small tables and views over all that a run wrote, for any DuckDB shell.

The tables are stored. The views read the run's Parquet files, in the folder that the database lies
in, so a run can move. Shards are Arrow files, which DuckDB cannot read by itself:
`flows.database.shard_views` adds them.
"""

import glob
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from flows.database.origin import NAME, hash_origin
from weighting.contracts.manifest import read_manifest
from weighting.errors import AssayError
from weighting.storage.files import replacing

Rows = Mapping[str, Iterable[Sequence[object]]]  # of each table

STORAGE = "v1.1.0"  # the oldest DuckDB that knows what the views use, so that older shells open it
# A catalog never fetches anything, and a query sees no variables of the program that runs it.
SETTINGS: Mapping[str, str] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}
HOLDER = re.compile(r"lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")


def build_catalog(run: Path) -> Path:
    """Write RUN/assay.duckdb, whole or not at all, and return its path.

    Raises:
        AssayError: the run has no manifest, or DuckDB cannot read a file or write the database.
    """
    # Slow to import, and `assay query` seldom builds.
    from flows.database.script import render_script
    from flows.database.stored_tables import describe_run

    manifest = read_manifest(run)
    rows = describe_run(run, manifest)
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

    The connection reads the files of the run and no others, and writes nothing.

    Raises:
        AssayError: the run has no manifest, another program is writing to the database, or what is
            asked cannot be answered, as where a file of the run is damaged.
    """
    read_manifest(run)
    path = run / NAME
    connection = _connect(path if path.exists() else build_catalog(run))
    if _read_origin(connection) != hash_origin(run):
        connection.close()
        connection = _connect(build_catalog(run))
    with connection:
        _confine(connection, run)
        try:
            yield connection
        except duckdb.Error as error:
            raise AssayError(f"{run}: {first_line(error)}") from None


def first_line(error: Exception) -> str:
    """Return what an error of DuckDB says, without the SQL that it quotes."""
    return str(error).partition("\n")[0]


def _write(path: Path, run: Path, rows: Rows, script: str) -> None:
    from flows.database.meanings import describe_columns
    from flows.database.stored_tables import TABLES
    from weighting.contracts.documents import tabulate_rows

    try:
        with duckdb.connect(
            str(path), config={**SETTINGS, "storage_compatibility_version": STORAGE}
        ) as connection:
            for name, schema in TABLES.items():
                connection.register("given", tabulate_rows(rows[name], schema))
                connection.execute(f"CREATE TABLE {name} AS FROM given")
                connection.unregister("given")
            connection.execute("SET VARIABLE run = ?", [str(run.absolute())])
            connection.execute(script)
            describe_columns(connection)
    except duckdb.Error as error:
        raise AssayError(f"{run / NAME}: {first_line(error)}") from None
    finally:
        _log_of(path).unlink(missing_ok=True)


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=True, config=dict(SETTINGS))
    except duckdb.Error as error:
        if holder := HOLDER.search(str(error)):
            raise AssayError(
                f"{path}: {Path(holder['program']).name} (process {holder['pid']}) has it open for "
                "writing; close it there, or open it there with duckdb -readonly"
            ) from None
        raise AssayError(f"{path}: {first_line(error)}") from None


def _confine(connection: duckdb.DuckDBPyConnection, run: Path) -> None:
    """Let a connection read the run's folder, links in it followed, and nothing else, for good."""
    here = run.absolute()
    links = (path for path in here.iterdir() if path.is_symlink())
    folders = {here, here.resolve(), *(link.resolve() for link in links)}
    # What is read is a pattern, in which a folder's own brackets and stars are escaped.
    allowed = {spelt for path in folders for spelt in (str(path), glob.escape(str(path)))}
    names = ", ".join(map(_quote, sorted(allowed)))
    connection.execute("SET VARIABLE run = ?", [str(here)])
    for setting, value in {
        "temp_directory": _quote(f"{tempfile.gettempdir()}/{NAME}.{os.getpid()}"),
        "allowed_directories": f"[{names}]",
        "enable_progress_bar": "false",
        "TimeZone": "'UTC'",  # one answer whatever machine asks
        "enable_external_access": "false",
        "lock_configuration": "true",
    }.items():
        connection.execute(f"SET {setting} = {value}")


def _read_origin(connection: duckdb.DuckDBPyConnection) -> str | None:
    try:
        rows = connection.execute("SELECT value FROM facts WHERE key = 'origin'").fetchall()
    except duckdb.Error:  # a database of another making
        return None
    return str(rows[0][0]) if rows else None


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
