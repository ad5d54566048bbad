"""Rules as sentences: what a verdict says, in zh-CN and English, under the number of its rule."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from domain.schedules.edition import InvalidRuleFile, Wording
from domain.schedules.json_document import Node

Fact = str | int | Wording


@dataclass(frozen=True, slots=True)
class Finding:
    """One conclusion of a verdict and the rule that it rests on.

    Attributes:
        rule: Number of the rule in its file, such as ``S-25``.
        code: What kind of conclusion it is, such as ``same-day``.
        sentence: The conclusion in words.
    """

    rule: str
    code: str
    sentence: Wording

    def describe(self) -> dict[str, Any]:
        """Return the JSON object that interfaces show."""
        return {
            "rule": self.rule,
            "code": self.code,
            "zh": self.sentence.zh,
            "en": self.sentence.en,
        }


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a file: its number and the sentence in which facts are filled in.

    Attributes:
        code: The conclusion that it stands for.
        number: Its number, the phrase by which people cite it.
        template: The sentence, with placeholders such as ``{group}``.
    """

    code: str
    number: str
    template: Wording

    @classmethod
    def read(cls, code: str, node: Node, placeholders: Collection[str]) -> "Rule":
        """Read ``{"number", "zh", "en"}``, whose sentences may use these placeholders only.

        Raises:
            InvalidRuleFile: For another placeholder, or one with an attribute, index or format.
        """
        found = node.members(("number", "zh", "en"))
        for language in ("zh", "en"):
            text = found[language].text()
            try:
                parts = list(Formatter().parse(text))
            except ValueError:
                raise InvalidRuleFile(reason="a broken sentence").at(node.pointer) from None
            for _, name, form, conversion in parts:
                if name is not None and (name not in placeholders or form or conversion):
                    raise InvalidRuleFile(reason="a placeholder without a fact").at(node.pointer)
        return cls(code, found["number"].text(), Wording(found["zh"].text(), found["en"].text()))

    def finding(self, facts: Mapping[str, Fact] | None = None, *, number: str = "") -> Finding:
        """Fill the facts in.

        Args:
            facts: Values of the placeholders; wordings are taken in each language.
            number: Number of a closer rule that the conclusion rests on, else the rule's own.
        """
        zh = {name: f.zh if isinstance(f, Wording) else f for name, f in (facts or {}).items()}
        en = {name: f.en if isinstance(f, Wording) else f for name, f in (facts or {}).items()}
        sentence = Wording(self.template.zh.format(**zh), self.template.en.format(**en))
        return Finding(number or self.number, self.code, sentence)
