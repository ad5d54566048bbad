"""`vaxledger demo`: one county's school year from the first registration to the audit.

It starts a whole installation, then does over HTTP and NATS what clinics, schools, guardians, an
integrator and a regulator would do, each with a key or token of its own, and shows what came of
it. Each step is counted and timed; the first that fails ends the demo and is named.
"""
