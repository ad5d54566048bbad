"""The signed log, for any entries: canonical bytes, a Merkle tree, checkpoints and proofs.

Everything in this package but ``ledger.store`` is pure: bytes in, bytes out, with time, ids and
randomness as arguments. It knows nothing of vaccines and could be published alone. Formats are
those of C2SP (signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles, tlog-proof,
tlog-policy) over RFC 9162 hashing, RFC 8785 JSON and DSSE envelopes.
"""
