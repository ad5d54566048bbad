"""How a name sounds: the same for characters that are mistaken for one another.

Toneless pinyin makes one of 峰 and 峯 (variants), 呂 and 吕 (traditional and simplified) and 明 and
鸣 (heard, not read). A character with several readings has its first one, so that the same
characters always sound the same.
"""

import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


def plain(name: str) -> str:
    """Return a name as it is compared letter by letter: no width, case, blanks or points."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in text if character.isalnum())


def sound(name: str) -> str:
    """Return how a name sounds, its syllables apart; what is no Chinese character stays."""
    readings = _readings()
    return " ".join(readings.get(character, character) for character in plain(name))


@cache
def _readings() -> Mapping[str, str]:
    text = (files("domain") / "data" / "pinyin.txt").read_text(encoding="utf-8")
    return {
        character: syllable
        for syllable, _, characters in (line.partition(" ") for line in text.splitlines())
        if syllable != "#"
        for character in characters
    }
