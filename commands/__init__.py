"""The write side: one handler a kind of write.

A handler opens what a policy must know of sealed data, loads the streams, lets the domain
decide, seals what is personal and appends everything in one transaction. Entry points (api,
cli, workers) all write through the `Desk`; none of them imports another.
"""
