"""Everything that happens before the first request.

Settings, embedded servers, the supervisor of the parts, logs and wiring: the only package that
reads the environment and starts processes. It knows every other package; only `api`, `workers`
and `cli` know it.
"""
