"""`vaxledger conformance`: does a consumer cope with what feeds, networks and attackers do?

A made log is served over HTTP and through a real NATS server, honestly first and then not. The
consumer is whatever command its maker names; the kit looks only at the effect that it reports.
"""
