"""Copies, repeated passages and evaluation items through the command, as its user sees them."""

import json
import random
import shutil

import pytest

from flows.database.shard_views import open_database
from tests.conftest import write_text
from tests.flows.invoking import invoke
from weighting.contracts.manifest import check_files, read_manifest
from weighting.errors import AssayError
from weighting.storage.files import read_json

pytestmark = pytest.mark.slow  # whole runs; the parts are tested beside the jobs

NOTICE = "All rights reserved by the people of this page, whatever they may be called."
QUESTION = (
    "A traveller who came over the frozen lake at night was asked by nine silent brothers why he"
    " had left his grey horse behind, and he answered that the horse"
)
ANSWER = "had gone ahead to light the lamps"
RECIPE = """
name = "small"
[rule_options]
families = ["length"]
[rules]
length_words = { min = 20 }
[tokenizer]
vocab_size = 300
[[decontaminate.sets]]
name = "riddles"
path = "riddles.jsonl"
question = "riddle"
answer = "answer"
"""
DROPPING = RECIPE.replace("[rules]", "[rules]\ncontamination = { max = 0.5 }")


def make_texts():
    """Twelve texts: 0 to 3 with a notice, 4 with an item; copies of 5, word for word and nearly."""
    rng = random.Random(7)
    texts = [write_text(rng, 14) for _ in range(10)]
    for number in range(4):
        texts[number] = f"{texts[number]}\n{NOTICE}\n{write_text(rng, 3)}"
    texts[4] += f"\n{QUESTION} {ANSWER}.\n{write_text(rng, 2)}"
    return [*texts, texts[5], texts[5].replace("the", "a", 1)]


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def ask(run, sql):
    with open_database(run) as connection:
        return connection.execute(sql).fetchall()


def find_text(run, text):
    """Return the doc_id of the kept document with this text."""
    return ask(run, f"SELECT doc_id FROM documents WHERE text = '{text}'")[0][0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A corpus, a second dump, an evaluation set and two recipes."""
    folder = tmp_path_factory.mktemp("dedupe")
    write_lines(folder / "one.jsonl", [{"text": text} for text in make_texts()])
    item = {"id": "r1", "riddle": QUESTION, "answer": ANSWER}
    short = {"id": "r2", "riddle": "Too short", "answer": "to be found"}
    write_lines(folder / "riddles.jsonl", [item, short])
    rng = random.Random(8)
    fresh = [write_text(rng, 14) for _ in range(3)]
    again = [make_texts()[0], make_texts()[6] + " And so on."]
    leaked = f"{write_text(rng, 4)}\n{QUESTION.upper()} {ANSWER.upper()}\n{write_text(rng, 4)}"
    rows = [{"text": text} for text in (*fresh, fresh[0], *again, leaked)]
    write_lines(folder / "two.jsonl", rows)
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "dropping.toml").write_text(DROPPING)
    return folder


def curate(folder, dump, run, recipe="recipe.toml", *options):
    arguments = ["curate", folder / dump, "--out", run, "--recipe", folder / recipe, *options]
    return invoke(*arguments)


@pytest.fixture(scope="module")
def first(folder):
    """The run of the corpus, and what the command printed."""
    return folder / "first", curate(folder, "one.jsonl", folder / "first")


@pytest.fixture(scope="module")
def second(first, folder):
    """The run of the second dump against the first, and what the command printed."""
    options = ("--against", first[0])
    run = folder / "second"
    return run, curate(folder, "two.jsonl", run, "dropping.toml", *options)


def test_what_is_to_come_is_told_before_and_what_was_found_after(first):
    _, output = first
    lines = output.splitlines()
    assert lines[0].startswith("copies: at most ")
    assert any(line.startswith("passages: about 1 MB of hashes in files") for line in lines)
    wanted = "evaluation set riddles: 2 items, 1 of them too short to be found: under 8 "
    assert next(i for i, line in enumerate(lines) if line.startswith(wanted)) < next(
        i for i, line in enumerate(lines) if "write_documents" in line
    )
    table = [" ".join(line.split()) for line in lines]
    start = next(i for i, line in enumerate(table) if line.startswith("duplicates 2 "))
    assert table[start + 1].startswith("equal shingles 1 ")
    assert table[start + 2].startswith("similar shingles 1 ")
    assert "evaluation items of riddles: 1 of 2 found; documents: 1, kept: 1" in lines


def test_the_ledger_and_the_clusters_say_which_copy_stays(first):
    run, _ = first
    check_files(run, read_manifest(run).files)
    assert dict(ask(run, "SELECT verdict, count(*) FROM ledger GROUP BY verdict")) == {
        "kept": 10,
        "duplicate": 2,
    }
    longest = find_text(run, make_texts()[5])
    ((survivor, documents, kept, least),) = ask(
        run, "SELECT survivor, documents, kept, least_similarity FROM clusters"
    )
    assert (survivor, documents, kept) == (longest, 3, 1)
    assert 0.75 <= least < 1
    assert dict(ask(run, "SELECT kind, records FROM duplicates")) == {
        "equal shingles": 1,
        "similar shingles": 1,
    }


def test_repeated_lines_are_marked_and_weigh_less(first):
    run, _ = first
    assert ask(run, "FROM repeated_passages") == [("line", NOTICE, 4, len(NOTICE))]
    places = ask(run, "SELECT doc_id, source, text FROM passages ORDER BY doc_id")
    assert [text for *_, text in places] == [NOTICE] * 4
    factors = ask(
        run,
        "SELECT list_contains(reasons, 'duplicate_span') AS marked, avg(weight) FROM token_weights"
        " JOIN token_story USING (doc_id, position) JOIN documents USING (doc_id)"
        f" WHERE contains(documents.text, '{NOTICE}') GROUP BY marked ORDER BY marked",
    )
    assert [marked for marked, _ in factors] == [False, True]
    assert factors[1][1] < 0.5 * factors[0][1]  # of a quarter, before rarity and context


def test_items_are_listed_and_their_tokens_weigh_nothing(first):
    run, _ = first
    ((name, item, score, question, answer, passage, verdict),) = ask(
        run, "SELECT set, item, score, question, answer, passage, verdict FROM contamination"
    )
    assert (name, item, score, verdict) == ("riddles", "r1", 1.0, "kept")
    assert (question, answer, passage) == (QUESTION, ANSWER, f"{QUESTION} {ANSWER}")
    assert ask(run, "FROM contaminated_sets") == [("riddles", 2, 1, 1, 1, 1)]
    tokens = ask(
        run,
        "SELECT weight, reasons, token FROM token_weights JOIN token_story USING (doc_id, position)"
        f" WHERE doc_id = '{find_text(run, make_texts()[4])}' ORDER BY position",
    )
    marked = [(weight, token) for weight, reasons, token in tokens if "contaminated" in reasons]
    assert {weight for weight, _ in marked} == {0.0}
    assert "".join(token for _, token in marked).strip() == passage
    assert min(weight for weight, reasons, _ in tokens if "contaminated" not in reasons) > 0


def test_a_rule_drops_documents_that_hold_items(second):
    run, output = second
    assert "evaluation items of riddles: 1 of 2 found; documents: 1, kept: 0" in output
    ((rule, value),) = ask(run, "SELECT rule, contamination FROM ledger WHERE verdict = 'dropped'")
    assert (rule, value) == ("contamination", 1.0)
    assert ask(run, "SELECT verdict FROM contamination") == [("dropped",)]


def test_a_second_dump_loses_what_the_first_has(first, second):
    run, output = second
    assert dict(ask(run, "SELECT verdict, count(*) FROM ledger GROUP BY verdict")) == {
        "kept": 3,
        "duplicate": 3,
        "dropped": 1,
    }
    assert dict(ask(run, "SELECT kind, records FROM duplicates")) == {
        "of an earlier run": 2,
        "equal shingles": 1,
    }
    assert "of an earlier run" in output
    elsewhere = ask(run, "SELECT survivor FROM clusters WHERE kept = 0 ORDER BY survivor")
    texts = make_texts()
    expected = [find_text(first[0], texts[number]) for number in (0, 6)]
    assert [survivor for (survivor,) in elsewhere] == sorted(expected)
    page = (run / "report.html").read_text()
    assert all(f'<span dir="auto">{doc_id}</span>' in page for doc_id in expected)
    assert page.count("in an earlier run") == 2
    assert read_manifest(run).inputs[-1].name == f"against {first[0]}"


def test_a_dump_with_nothing_new_is_a_whole_run(first, folder):
    tokenizer = f'path = "{first[0]}/tokenizer.json"'
    (folder / "known.toml").write_text(RECIPE.replace("vocab_size = 300", tokenizer))
    run = folder / "known"
    curate(folder, "one.jsonl", run, "known.toml", "--against", first[0])
    check_files(run, read_manifest(run).files)
    assert ask(run, "SELECT kind, records FROM duplicates") == [("of an earlier run", 12)]
    assert ask(run, "SELECT count(*) FROM documents") == [(0,)]


def test_the_same_dump_against_the_same_run_is_skipped(first, second, folder):
    options = ("--against", first[0])
    output = curate(folder, "two.jsonl", second[0], "dropping.toml", *options)
    assert output.count("skipped") == 6
    with pytest.raises(AssayError, match="holds a run of other inputs"):
        curate(folder, "two.jsonl", second[0], "dropping.toml")


def test_the_content_of_a_set_is_part_of_the_run(first, folder, tmp_path):
    for name in ("recipe.toml", "one.jsonl"):
        shutil.copy(folder / name, tmp_path)
    item = {"id": "r1", "riddle": QUESTION, "answer": "another"}
    write_lines(tmp_path / "riddles.jsonl", [item])
    (tmp_path / "recipe.toml").write_text(
        RECIPE.replace('"riddles.jsonl"', f'"{folder}/riddles.jsonl"')
    )
    copy = tmp_path / "run"
    shutil.copytree(first[0], copy)
    assert curate(tmp_path, "one.jsonl", copy).count("skipped") == 6
    claim = read_json(copy / "run.json")
    (entry,) = (one for one in claim["inputs"] if one["name"].startswith("decontaminate."))
    assert entry["name"] == "decontaminate.riddles riddles.jsonl"
    before = (folder / "riddles.jsonl").read_bytes()
    try:
        shutil.copy(tmp_path / "riddles.jsonl", folder / "riddles.jsonl")
        with pytest.raises(AssayError, match="holds a run of other inputs;"):
            curate(tmp_path, "one.jsonl", copy)
    finally:
        (folder / "riddles.jsonl").write_bytes(before)


def refuse(folder, message, *options, recipe="recipe.toml", out="refused"):
    """Check that a run is refused in one line, before anything is written."""
    with pytest.raises(AssayError, match=message) as caught:
        curate(folder, "two.jsonl", folder / out, recipe, *options)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    assert not (folder / "refused").exists()


def test_runs_that_cannot_be_compared_with(first, folder, tmp_path):
    refuse(folder, "nowhere.*: no such file", "--against", folder / "nowhere")
    refuse(folder, "against itself", "--against", first[0], out="first")
    copy = tmp_path / "copy"
    shutil.copytree(first[0], copy)
    (copy / "manifest.json").unlink()
    refuse(folder, r"copy.*manifest\.json: no such file", "--against", copy)
    shutil.copytree(first[0], copy, dirs_exist_ok=True)
    shutil.rmtree(copy / "index")
    refuse(folder, "keeps no index; .*dedupe.index = true", "--against", copy)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            "rows = 4",
            "made with words 5, bands 14, rows 8, seed 1, numbers zero, this run has .*rows 4",
        ),
        ("words = 3", "made with words 5.*, this run has words 3"),
        (
            'numbers = "keep"',
            "numbers zero, this run .* numbers keep; give dedupe the same .* numbers",
        ),
        ("exact = false\nnear = false", "dedupe.exact is false, so there is nothing to compare"),
    ],
)
def test_runs_of_other_settings_cannot_be_compared_with(first, folder, settings, message):
    (folder / "other.toml").write_text(f"{RECIPE}\n[dedupe]\n{settings}\n")
    refuse(folder, message, "--against", first[0], recipe="other.toml")


def test_exact_copies_can_be_looked_for_in_any_run(first, folder):
    (folder / "exact.toml").write_text(f"{RECIPE}\n[dedupe]\nnear = false\n")
    run = folder / "exact"
    curate(folder, "two.jsonl", run, "exact.toml", "--against", first[0])
    assert dict(ask(run, "SELECT kind, records FROM duplicates")) == {
        "of an earlier run": 1,
        "equal shingles": 1,
    }


def test_deleted_passages_stay_in_one_document(folder):
    (folder / "delete.toml").write_text(f'{RECIPE}\n[passages]\naction = "delete"\n')
    run = folder / "delete"
    curate(folder, "one.jsonl", run, "delete.toml")
    holders = f"SELECT count(*) FROM documents WHERE contains(text, '{NOTICE}')"
    assert ask(run, holders) == [(1,)]
    assert ask(run, "FROM passages") == []
    shorter = ask(
        run,
        "SELECT text, [source_start(edits, i) FOR i IN range(length(text))] FROM documents"
        " WHERE len(edits) > 0",
    )
    assert len(shorter) == 3
    for text, places in shorter:
        (read,) = (one for one in make_texts() if one.startswith(text[:100]))
        assert "".join(read[place] for place in places) == text
        assert NOTICE in read


def test_a_fault_in_a_set_ends_the_run_with_one_line(folder, tmp_path):
    shutil.copy(folder / "two.jsonl", tmp_path)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    write_lines(tmp_path / "riddles.jsonl", [{"riddle": QUESTION}])
    with pytest.raises(AssayError, match=r"riddles\.jsonl, line 1: no field 'answer'") as caught:
        curate(tmp_path, "two.jsonl", tmp_path / "run")
    assert "\n" not in str(caught.value)
