"""The reference of the commands names each of them, with what can be given to it."""

from flows.commands.manual import render_reference


def test_every_command_and_option_is_there():
    text = render_reference()
    headings = [line.strip("# `") for line in text.splitlines() if line.startswith("## ")]
    runs = ("demo", "look", "curate", "weigh")
    commands = (*runs, "explain", "query", "report", "quarantine", "replay", "verify")
    groups = ("recipe", "recipe show", "recipe check")
    assert headings == ["assay", *(f"assay {name}" for name in (*commands, *groups))]
    curate = text.split("## `assay curate`")[1].split("\n## ")[0]
    assert "Clean, dedupe, tokenize and weigh a corpus." in curate
    assert "$ assay curate [OPTIONS] " in curate
    rows = [line for line in curate.splitlines() if line.startswith("| `")]
    assert len(rows) == 9
    assert "| `--overwrite` | replace a run of other inputs, recipe or code |" in rows


def test_tables_have_two_columns_whatever_the_help_holds():
    rows = [line for line in render_reference().splitlines() if line.startswith("| ")]
    assert all(line.replace("\\|", "").count("|") == 3 for line in rows)
