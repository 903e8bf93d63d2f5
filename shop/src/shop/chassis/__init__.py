"""What any service of the shop is made of. It knows no service.

settings.py    from environment variables, all mistakes told at once
parts.py       the settings of the parts below, to be put together into a service's
service.py     the life of a process: start, ready, drain, end
command.py     `python -m shop.<service>`
http.py        an application and its server; failures.py and fields.py say what was wrong with a request
rpc.py         gRPC: a server, and channels to others
access.py      bearer token -> Caller
database.py    PostgreSQL: a pool; migrating.py brings its schema up to date
messages.py    Kafka: a consumer that drains, a relay for the outbox
ids.py         64-bit ids, ordered by time
logs.py, metrics.py, telemetry.py
"""
