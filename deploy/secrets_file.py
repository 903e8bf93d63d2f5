"""Makes deploy/.env, with secrets drawn by chance, unless it is there: `python deploy/secrets_file.py`.

What is in it is read by compose.yaml, and by kubernetes/kustomization.yaml. It is never committed.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import sys
from pathlib import Path

__all__ = ["main", "variables"]

SERVICES = ("account", "product", "order", "payment", "purchase", "orchestrator", "warehouse", "compliance")


LOOKING = ("viewer", "operator")
"""Who may ask the reconciler: Prometheus, and whoever looks at its pages. It is told the tokens' hashes alone."""


def variables() -> dict[str, str]:
    """Each variable with its value."""
    made = {f"{name.upper()}_DATABASE_PASSWORD": secrets.token_urlsafe(24) for name in SERVICES}
    made |= {name: secrets.token_urlsafe(24) for name in ("POSTGRES_PASSWORD", "GRAFANA_PASSWORD", "FAULTS_TOKEN")}
    made["ACCOUNT_TOKENS_KEYS"] = f"first={base64.b64encode(secrets.token_bytes(32)).decode()}"
    made["ACCOUNT_ADMIN_EMAIL"] = "admin@shop.example"
    made["ACCOUNT_ADMIN_PASSWORD"] = secrets.token_urlsafe(24)
    for name in SERVICES:
        password = made[f"{name.upper()}_DATABASE_PASSWORD"]
        made[f"{name.upper()}_DATABASE_URL"] = f"postgresql://{name}:{password}@postgres:5432/{name}"
    tokens = {role: f"sgc_{secrets.token_hex(32)}" for role in LOOKING}
    made |= {f"SAGACITY_{role.upper()}_TOKEN": token for role, token in tokens.items()}
    made["RECONCILER_TOKENS"] = ",".join(
        f"{role}:{role}:sha256:{hashlib.sha256(token.encode()).hexdigest()}" for role, token in tokens.items()
    )
    return made


def main(file: Path) -> int:
    """Make the file; the exit code."""
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(f"{file} is there already: remove it to have new secrets (and the data that old ones were used with)")
        return 1
    with os.fdopen(opened, "w") as written:
        written.writelines(f"{name}={value}\n" for name, value in variables().items())
    print(f"made {file}, which only you can read")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent / ".env"))
