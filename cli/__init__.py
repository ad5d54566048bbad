"""The `vaxledger` command: one module a sub-command, mounted by `cli.__main__`.

Exit codes: 0 done, 1 done with a negative result, 2 could not be done. People read tables in
zh-CN with English; programs ask for `--json`.
"""
