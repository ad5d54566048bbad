"""Fuzzes one parser by coverage: `python -m tests.soak.fuzz_parser NAME [libFuzzer options]`.

In a process of its own, which the fuzzer ends as it likes. Each run may hold 1 GB and take 5 s.
"""

import sys

import atheris

with atheris.instrument_imports(include=["ledger", "client", "certificates"]):
    from tests.generative.parsers import PARSERS


def main() -> None:
    name, *options = sys.argv[1:]
    parser = PARSERS[name]

    def attempt(raw: bytes) -> None:
        try:
            parser.read(raw)
        except parser.refusals:
            return

    atheris.Setup(
        [sys.argv[0], "-timeout=5", "-rss_limit_mb=1024", "-max_len=20000", *options], attempt
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
