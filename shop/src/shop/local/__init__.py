"""The whole shop on one machine, as processes: Traefik, PostgreSQL, six nodes of Redis, a broker, and every service.

    python -m shop.local up          start all, and follow the logs until Ctrl-C
    python -m shop.local status      what runs where, and how much memory it takes
    python -m shop.local logs order  the log of one
    python -m shop.local kill order  end one as a crash would, and see it come back
    python -m shop.local down        stop all

| module | what is there |
|---|---|
| `catalogue` | what the shop is made of: its services, their replicas, what each needs |
| `routes` | the routes of the edge, as Traefik reads them |
| `environment` | what a service is told by environment variables |
| `kept` | what a data folder holds from one start to the next: ports, secrets |
| `process` | a service as a process |
| `keeper` | one part of the stack, kept running |
| `stack` | all parts: started in order, stopped in reverse |
| `state` | what runs, written down for the other commands |
| `following` | logs, told apart by colour |
| `command` | the command line |

Services are started as processes and never imported here.
"""

from __future__ import annotations
