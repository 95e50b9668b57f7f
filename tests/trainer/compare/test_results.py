"""Results of an ablation, from the file and back."""

import pytest

from tests.flows.ablations import write_ablation
from trainer.compare.results import METRICS, read_results
from weighting.errors import AssayError
from weighting.storage.json_records import to_json


def test_results_come_back_as_they_were_written(tmp_path):
    folder = write_ablation(tmp_path)
    results = read_results(folder)
    assert (results.baseline, results.tokens) == ("plain", 4096)
    plain, weighted = results.arms["plain"], results.arms["weighted"]
    assert plain.primary_difference is None
    assert weighted.primary_difference is not None
    assert weighted.primary_difference.values == (-0.1, -0.2)
    assert [metric for metric in METRICS if plain.find(metric)] == ["validation_nll"]
    assert {"runs", "difference", *METRICS} == {*to_json(plain)}


def test_an_ablation_that_is_not_finished_is_named(tmp_path):
    with pytest.raises(AssayError, match=r"results\.json: no such file"):
        read_results(tmp_path)
