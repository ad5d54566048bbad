"""What others embed: sign, submit, subscribe, verify.

Clinics sign statements and wait for verified receipts, integrators follow the feed, regulators
verify an exported or served log. It imports only the pure parts of `ledger`, `domain` and
`certificates`, and speaks HTTP and NATS; nothing here trusts a server that it can check.
"""
