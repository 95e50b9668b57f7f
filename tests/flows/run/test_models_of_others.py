"""A whole run whose references are models of others: signals, manifest, and what makes it another.

The models are random and small; what they say of a text is another test's.
"""

import pyarrow.parquet as pq
import pytest

from tests.flows.conftest import patch_runs, unreporting
from tests.flows.invoking import invoke
from tests.flows.recipe.test_schema import write
from tests.tiny_models import write_model
from weighting.contracts.manifest import read_manifest
from weighting.errors import AssayError
from weighting.storage.files import sha256

pytestmark = pytest.mark.slow

SIGNALS = ["ngram_gain", "nll", "entropy", "excess", "change", "context_gain", "disagreement"]


@pytest.fixture(scope="module")
def made(tmp_path_factory, small_corpus):
    """A run, the folder of its models and recipe, and what the command said."""
    folder = tmp_path_factory.mktemp("others")
    for name, seed in (("large", 0), ("second", 1), ("weak", 2)):
        write_model(folder / name, "gpt2" if name == "weak" else "llama", seed=seed)
    recipe = write(
        folder,
        """
        name = "others"
        [tokenizer]
        vocab_size = 300
        [signals]
        keep = true
        [reference]
        model = "large"
        second = "second"
        checkpoints = ["weak"]
        short = 4
        """,
    )
    with pytest.MonkeyPatch.context() as patch, unreporting():
        patch_runs(patch)
        curate = ("curate", *small_corpus, "--out", folder / "run", "--recipe", recipe)
        yield folder, curate, invoke(*curate)


def test_every_token_has_the_signals_of_the_models(made):
    folder, _, _ = made
    manifest = read_manifest(folder / "run")
    assert manifest.counts.signals.stored == SIGNALS
    tables = [pq.read_table(path) for path in (folder / "run" / "signals").glob("*.parquet")]
    for name in SIGNALS:
        values = [value for table in tables for row in table[name].to_pylist() for value in row]
        assert len(set(values)) > 10, name


def test_the_manifest_says_which_models_they_were(made):
    folder, _, _ = made
    manifest = read_manifest(folder / "run")
    story = manifest.counts.signals.reference
    assert story is not None
    assert (story["model"], story["kind"]) == (str(folder / "large"), "folder")
    assert story["architecture"] == "LlamaForCausalLM"
    assert story["precision"] in ("float32", "bfloat16")
    assert story["files"]["model.safetensors"] == sha256(folder / "large" / "model.safetensors")
    assert [one["model"] for one in story["earlier"]] == [str(folder / "weak")]
    assert story["second"]["model"] == str(folder / "second")
    assert story["trained_on"] is None
    named = {entry.name for entry in manifest.inputs}
    assert {"reference.model model.safetensors", "reference.second config.json"} <= named
    assert "reference.checkpoints.0 tokenizer.json" in named
    assert {"torch", "transformers", "safetensors"} <= manifest.versions.keys()
    assert "gguf" not in manifest.versions


def test_the_cost_is_told_before_the_work_and_before_scoring(made):
    _, _, output = made
    words = " ".join(output.split())
    assert "forward passes a token for nll, entropy, context_gain" in words
    assert "before cleaning" in words.partition("curate")[0]
    assert "documents takes 1 process about" in words


def test_other_bytes_of_a_model_make_another_run(made):
    folder, curate, _ = made
    assert invoke(*curate).count("skipped") == 6
    write_model(folder / "weak", "gpt2", seed=3)
    with pytest.raises(AssayError, match="holds a run of other inputs"):
        invoke(*curate)
