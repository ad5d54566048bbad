"""Who makes room when the server is full."""

from api.silence import Silence


def test_whoever_has_been_silent_longest_is_first_and_idle_ones_before_others():
    silence: Silence[str] = Silence()
    assert silence.longest() is None
    silence.begin("half a body", is_idle=False)
    silence.begin("early", is_idle=True)
    silence.begin("late", is_idle=True)
    assert silence.longest() == "early"
    silence.begin("early", is_idle=True)  # it has said something
    assert silence.longest() == "late"
    silence.end("late")
    silence.begin("early", is_idle=False)
    assert silence.longest() == "half a body"
    silence.end("half a body")
    silence.end("early")
    assert silence.longest() is None
