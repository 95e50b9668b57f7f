"""What a terminal and a pipe are shown."""

from trainer.progress import bar, counting_steps, format_evaluation

ROW = {"step": 2, "loss": 1.25, "tokens_per_second": 4321.0}
EVALUATION = {"step": 4, "validation_nll": 2.5, "bits_per_byte": 1.125}


def test_a_bar_shows_loss_speed_and_evaluations(capsys):
    with bar(4) as report:
        report(ROW)
        report(EVALUATION)
    text = capsys.readouterr().out
    assert "loss 1.2500  4,321 tokens/s" in text
    assert "2/4" in text
    assert "step 4: validation 2.5000 nats/token, 1.1250 bits/byte" in text


def test_evaluation_without_bytes():
    assert format_evaluation({"step": 1, "validation_nll": 2.0}) == (
        "step 1: validation 2.0000 nats/token"
    )


def test_a_pipe_gets_a_line_each_tenth(capsys):
    with counting_steps() as report:
        for done in range(41):
            report(done, 40)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["steps 0 of 40", "steps 4 of 40"]
    assert len(lines) == 11
