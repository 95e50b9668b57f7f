"""The example of docs/formats.md writes shards that can be trained on, and that give no doubts."""

import re
from pathlib import Path

import numpy as np

from trainer.data.corpus import open_corpus
from trainer.data.doubts import list_doubts

PAGE = Path(__file__).parents[1] / "docs" / "formats.md"


def test_the_example_writes_shards_of_ones_own(tmp_path, monkeypatch):
    section = PAGE.read_text(encoding="utf-8").split("### Your own shards")[1]
    (example,) = re.findall(r"```python\n(.*?)```", section.split("\n## ")[0], re.DOTALL)
    assert len(example.splitlines()) <= 15
    monkeypatch.chdir(tmp_path)
    exec(compile(example, str(PAGE), "exec"), {})
    corpus = open_corpus(str(tmp_path))
    assert list_doubts(corpus, weighted=True) == []
    (segment,) = corpus.train.segments
    assert segment.doc_ids.to_pylist() == ["a", "b"]
    weights_N = segment.weights_N
    assert np.allclose(weights_N[segment.ids_N == 5], 2 * weights_N[0] * (segment.ids_N[0] != 5))
    assert corpus.info.policy == "own"
