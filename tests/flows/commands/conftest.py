"""Fixtures of the tests of commands.

finished    a finished run of the small corpus, and what `assay curate` printed
"""

import pytest

from tests.flows.invoking import invoke


@pytest.fixture(scope="session")
def finished(small_corpus, tmp_path_factory):
    """See the module docstring."""
    run = tmp_path_factory.mktemp("runs") / "run"
    return run, invoke("curate", *small_corpus, "--out", run)
