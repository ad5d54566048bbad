"""The page of all settings."""

from bootstrap.settings import PREFIX, Settings


def settings_markdown() -> str:
    """The page `docs/settings.md`: a table of all settings."""
    lines = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        lines.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"
