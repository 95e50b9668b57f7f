"""What a session tells of training (the rest is in commands/test_curate)."""

from flows.run.session import telling_steps


def test_a_log_is_told_each_tenth_of_a_training():
    shown, told = [], []
    progress = telling_steps(lambda *steps: shown.append(steps), told.append)
    for done in range(1, 201):
        progress(done, 200)
    assert len(shown) == 200
    assert told[:2] == ["training: step 20 of 200", "training: step 40 of 200"]
    assert len(told) == 10
    telling_steps(lambda *_: None, told.append, "training half a")(9, 9)
    assert told[-1] == "training half a: step 9 of 9"


def test_without_a_log_it_is_shown_alone():
    def show(done, total):
        return None

    assert telling_steps(show, None) is show
