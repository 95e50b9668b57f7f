"""A run's manifest: what replays it names, and whether what it names is there."""

import pytest

from flows.run.manifest import REPLAYS, check_presence, read_replays
from tests.flows.runs import build_run
from weighting.contracts.counts import Replay
from weighting.errors import AssayError, BrokenContract
from weighting.storage.files import write_json
from weighting.storage.json_records import write_record

FIRST = Replay(3, {"bad_json": (3, 0)}, {}, ["a.jsonl"])
SECOND = Replay(0, {}, {"text_field": "body"}, [])


def test_replays_are_read_in_order_where_there_were_any(tmp_path):
    assert read_replays(tmp_path) == []
    write_record(tmp_path / REPLAYS, [FIRST, SECOND])
    assert read_replays(tmp_path) == [FIRST, SECOND]


def test_replays_of_another_form_are_refused(tmp_path):
    write_json(tmp_path / REPLAYS, [{"recovered": 1}])
    with pytest.raises(BrokenContract, match=r"replays\.json: \[0\]: field '\w+' is missing"):
        read_replays(tmp_path)


def test_an_output_that_is_gone_is_named(tmp_path):
    run = build_run(tmp_path / "run")
    check_presence(run)
    path = next((run / "documents").iterdir())
    path.unlink()
    with pytest.raises(AssayError, match=rf"{path.name} is named in manifest\.json and missing"):
        check_presence(run)
