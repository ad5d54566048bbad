"""Write the demo's data set, the same files everywhere: `python examples/kaifeng/generate.py`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.kaifeng.making.files import files, make

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Write the files beside this one."""
    for name, text in files(make()).items():
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")
        print(f"{name:26}{len(text.encode()):>10,} bytes")


if __name__ == "__main__":
    main()
