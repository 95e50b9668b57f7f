"""The code of docs/transformers.md, run as it stands, and held against the trainer's own loss."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.trainer.exports import load_library, write_data, write_run
from trainer.config.schema import ModelConfig, ObjectiveConfig
from trainer.data.loader import IGNORED
from trainer.export import export
from trainer.models.language_model import LanguageModel
from trainer.objectives.functions import weighted
from trainer.objectives.tokens import Tokens, token_nll
from weighting.contracts.shards import open_shard

DOCUMENT = Path(__file__).parents[2] / "docs" / "transformers.md"
CONFIG = ModelConfig(layers=2, width=32, heads=2, context=128)
WINDOW = 128  # tokens, as in the document

# Said on a machine without an accelerator.
pytestmark = pytest.mark.filterwarnings("ignore:'pin_memory' argument is set as true:UserWarning")


@dataclass(frozen=True)
class Documented:
    """The document's folders, the names that its Python defines, and the model before export."""

    folder: Path
    names: dict[str, Any]
    ours: LanguageModel
    eos_id: int

    def load(self):
        return self.names["AutoModelForCausalLM"].from_pretrained(self.folder / "exported")

    def stream(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """All ids and weights of a split behind an end-of-text, from the shards themselves."""
        paths = sorted((self.folder / "runs/mine/shards").glob(f"{split}-*.arrow"))
        segments = [segment for path in paths for segment in open_shard(path).segments]
        ids = np.concatenate([[self.eos_id], *(segment.ids_N for segment in segments)])
        return ids, np.concatenate([[0], *(segment.weights_N for segment in segments)])


@pytest.fixture(scope="module")
def documented(tmp_path_factory) -> Documented:
    folder = tmp_path_factory.mktemp("documented")
    info = write_data(folder / "runs/mine")
    run = folder / "runs/mine/model"
    ours = write_run(run, CONFIG, info, str(folder / "runs/mine/shards"))
    export(run, folder / "exported")
    return Documented(folder, run_blocks(folder), ours, info.eos_id)


def run_blocks(folder: Path) -> dict[str, Any]:
    """Run the document's Python in order, in `folder`, and return what it defines."""
    load_library()
    import datasets

    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("ACCELERATE_USE_CPU", "true")
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", folder / "cache")
        datasets.disable_progress_bars()
        for block in re.findall(
            r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE
        ):
            exec(compile(block, DOCUMENT, "exec"), names)
    return names


@pytest.mark.parametrize("split", ["train", "validation"])
def test_every_token_is_a_target_once(documented, split):
    windows = documented.names["windows"][split]
    ids, weights = documented.stream(split)
    assert len(windows) > 3
    assert torch.cat([row["input_ids"][1:] for row in windows]).tolist() == ids[1:].tolist()
    assert torch.cat([row["loss_weights"][1:] for row in windows]).tolist() == weights[1:].tolist()
    inputs = torch.cat([row["input_ids"][:-1] for row in windows])
    assert inputs.tolist() == ids[:-1].tolist()


# The last window is short: a mean over batches would not be the mean over targets.
ROWS = (0, 2, 1, -1)
CUTS = ((4, 1), (2, 2), (1, 4))  # windows at once, accumulated batches


@pytest.mark.parametrize(("windows", "accumulated"), CUTS)
def test_an_update_is_ours(documented, tmp_path, windows, accumulated):
    dataset = choose_rows(documented)
    loss, gradient = update(documented, tmp_path, dataset, windows, accumulated)
    expected, _ = weighted_loss(documented, lambda ids: documented.ours(ids))
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    model = documented.load()
    expected, (_, weights) = weighted_loss(documented, lambda ids: model(ids).logits)
    assert weights.std() > 0.1  # live
    expected.backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(gradient[name], parameter.grad, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize(("windows", "accumulated"), CUTS)
def test_weights_of_one_are_the_librarys_own_loss(documented, tmp_path, windows, accumulated):
    dataset = choose_rows(documented)
    ones = dataset.map(lambda row: {"loss_weights": torch.ones_like(row["loss_weights"])})
    cut = (windows, accumulated)
    loss, gradient = update(documented, tmp_path, ones, *cut)
    stock = load_library().Trainer
    expected, plain = update(documented, tmp_path, dataset, *cut, kind=stock, leave=LABELS)
    assert loss == pytest.approx(expected, rel=1e-6)
    _, weighted = update(documented, tmp_path, dataset, *cut)
    for name, value in plain.items():
        torch.testing.assert_close(gradient[name], value, rtol=1e-5, atol=1e-6)
        assert not torch.allclose(weighted[name], value, rtol=1e-2, atol=1e-5), name


def test_the_default_arguments_would_drop_the_weights(documented, tmp_path):
    with pytest.raises(KeyError, match="loss_weights"):
        update(documented, tmp_path, choose_rows(documented), 4, 1, remove_unused_columns=True)


def test_evaluation_is_plain_whatever_the_weights(documented, tmp_path):
    model, windows = documented.load().eval(), documented.names["windows"]["validation"]
    with torch.no_grad():
        rows = [row["input_ids"][None] for row in windows]
        losses = [float(model(ids, labels=ids).loss) for ids in rows]
    one = {"per_device_eval_batch_size": 1, "eval_dataset": windows}
    trainer = build_trainer(documented, tmp_path, model, windows, **one)
    assert trainer.evaluate()["eval_loss"] == pytest.approx(np.mean(losses), rel=1e-4)


def test_the_documented_training_learns_and_saves(documented):
    names = documented.names
    assert names["after"] < names["before"] - 0.05
    assert names["text"].startswith("The gold")
    copy = names["AutoModelForCausalLM"].from_pretrained(documented.folder / "continued")
    tokenizer = names["AutoTokenizer"].from_pretrained(documented.folder / "continued")
    assert tokenizer.eos_token_id == documented.eos_id
    ids = names["ids"]
    with torch.no_grad():
        torch.testing.assert_close(copy(ids).logits, names["model"].eval()(ids).logits)


def test_restarting_positions_mask_documents(documented):
    ids, model = documented.names["ids"], documented.load()
    documents = (ids == documented.eos_id).cumsum(dim=1)  # as trainer.data.loader numbers them
    assert documents.max() > 2
    positions = documented.names["restart_positions"](ids)
    with torch.no_grad():
        found = model(ids, position_ids=positions, use_cache=False).logits
        torch.testing.assert_close(found, documented.ours(ids, documents), rtol=0, atol=1e-5)
        assert not torch.allclose(found, documented.ours(ids), atol=0.1)


LABELS = ("input_ids", "labels")
ALL = (*LABELS, "loss_weights")


def choose_rows(documented):
    windows = documented.names["windows"]["train"]
    chosen = windows.select([row % len(windows) for row in ROWS])
    assert len(chosen[-1]["input_ids"]) < WINDOW
    return chosen


def weighted_loss(documented, forward) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """The trainer's objective on the windows `ROWS`, cut out of the shards without the document."""
    ids, weights = documented.stream("train")
    starts = range(0, len(ids) - 1, WINDOW - 1)
    inputs_BxT = torch.zeros(len(ROWS), WINDOW - 1, dtype=torch.long)
    targets_BxT, weights_BxT = torch.full_like(inputs_BxT, IGNORED), torch.zeros(inputs_BxT.shape)
    for row, start in enumerate(starts[number] for number in ROWS):
        there = slice(start, min(start + WINDOW, len(ids)))
        size = there.stop - start - 1
        inputs_BxT[row, :size] = torch.from_numpy(ids[there][:-1])
        targets_BxT[row, :size] = torch.from_numpy(ids[there][1:])
        weights_BxT[row, :size] = torch.from_numpy(weights[there][1:])
    count = int((targets_BxT != IGNORED).sum())
    nll_BxT = token_nll(forward(inputs_BxT), targets_BxT)
    tokens = Tokens(nll_BxT, targets_BxT, weights_BxT, count, ObjectiveConfig("weighted"))
    loss = weighted(tokens).sum() / count
    return loss, (targets_BxT, weights_BxT[targets_BxT != IGNORED])


def update(
    documented, folder, dataset, windows, accumulated, **options
) -> tuple[float, dict[str, Tensor]]:
    """One step of plain gradient descent at rate 1: the logged loss, and the gradient it took."""
    model = documented.load()
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    cut = {"per_device_train_batch_size": windows, "gradient_accumulation_steps": accumulated}
    trainer = build_trainer(documented, folder, model, dataset, **cut, **options)
    trainer.train()
    after = {name: value.detach() for name, value in model.named_parameters()}
    return trainer.state.log_history[0]["loss"], {n: before[n] - after[n] for n in before}


def build_trainer(
    documented, folder, model, dataset, kind=None, leave=ALL, eval_dataset=None, **options
):
    collate = documented.names["collate"]
    arguments = {
        "max_steps": 1,
        "optim": "sgd",
        "learning_rate": 1.0,
        "lr_scheduler_type": "constant",
        "max_grad_norm": 0.0,
        "logging_steps": 1,
        "save_strategy": "no",
        "remove_unused_columns": False,
        "report_to": "none",
        "use_cpu": True,
        "disable_tqdm": True,
        "output_dir": str(folder),
    }
    return (kind or documented.names["WeightedTrainer"])(
        model=model,
        args=load_library().TrainingArguments(**{**arguments, **options}),
        data_collator=lambda rows: {name: collate(rows)[name] for name in leave},
        train_dataset=dataset,
        eval_dataset=eval_dataset,
    )
