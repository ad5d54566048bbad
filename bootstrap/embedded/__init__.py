"""PostgreSQL and NATS from wheels, for a laptop, the demo and the tests.

Both servers keep everything below one data directory, listen on a private unix socket or on
loopback, are children of the process that starts them and survive the SIGKILL of anything: of a
backend, of themselves, of their owner. Linux only. Production installs neither and gives URLs.
"""
