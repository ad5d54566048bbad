"""Every reason code has words in both languages."""

import re
from enum import StrEnum
from pathlib import Path
from typing import get_args, get_type_hints

from api.coded import said
from api.reasons import REASONS
from commands.certificates import OF_AGE
from commands.merging import RELEASED
from commands.registration import NO_GUARDIAN
from domain.topics import EVENTS
from examples.kaifeng.making.mistakes import MISTAKES

TEMPLATES = Path(__file__).parents[3] / "api" / "templates"


def of_events() -> set[str]:
    """The codes among which an event's reason is chosen."""
    found: set[str] = set()
    for event in EVENTS.values():
        hints = get_type_hints(event)
        for name in {"reason", "ground"} & hints.keys():
            for kind in (hints[name], *get_args(hints[name])):
                if isinstance(kind, type) and issubclass(kind, StrEnum):
                    found.update(kind)
    return found


def of_pages() -> set[str]:
    """The codes that pages offer or send."""
    texts = [path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*.html")]
    selects = [one for text in texts for one in re.findall(r'name="reason".*?</select>', text)]
    steps = [one for text in texts for one in re.findall(r'step\(.*"([a-z-]+)"\)', text)]
    return {code for one in selects for code in re.findall(r'<option value="([a-z-]+)"', one)} | {
        *steps
    } - {"verified", "applied"}


def test_every_reason_has_words_in_both_languages():
    of_demo = {one.reason for one in MISTAKES} | {one.outcome_reason for one in MISTAKES} - {None}
    by_platform = {OF_AGE, RELEASED, NO_GUARDIAN}
    assert min(map(len, (of_events(), of_pages(), of_demo))) > 2, "they are found"
    codes = of_events() | of_pages() | of_demo | by_platform
    assert {code for code in codes if code not in REASONS} == set()
    assert said("reason", "wrong-date") == {"zh": "接种日期有误", "en": "wrong date"}
    assert all(words["zh"] and words["en"] for words in REASONS.values())
