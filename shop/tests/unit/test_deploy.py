"""What is in deploy/: held against the schemas of Compose and Kubernetes, against the services' settings, and against the
routes of the local stack."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from prometheus_questions import ALERTS, queries
from sagacity.web.tokens import parse_tokens
from sagacity.workflow.language.reader import load as load_workflow
from shop.chassis.settings import described, load
from shop.contracts import topics
from shop.local.catalogue import RECONCILER, SHOP, Service
from shop.local.routes import routes

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
KUBERNETES = "1.34"
PROMTOOL = shutil.which("promtool")
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
CATALOGUE = tuple(msgspec.structs.replace(each, replicas=3) if each.name == "product" else each for each in SHOP)
IN_COMPOSE = (*CATALOGUE, RECONCILER)


def read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text())


def resources() -> Iterator[dict[str, Any]]:
    for file in MANIFESTS:
        yield from yaml.safe_load_all(file.read_text())


def drawn() -> dict[str, str]:
    """What deploy/secrets_file.py would write."""
    spec = importlib.util.spec_from_file_location("deploy_secrets_file", DEPLOY / "secrets_file.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: dict[str, str] = module.variables()
    return made


def filled(text: str, secrets: Mapping[str, str]) -> str:
    """A value as Compose gives it to a container. Fails for a variable that is not in deploy/.env."""
    return re.sub(r"\$\{(\w+):\?[^}]*\}", lambda found: secrets[found[1]], text)


def accepted(service: str, told: Mapping[str, str]) -> None:
    """Fails unless the service knows every variable, and could start with them."""
    kind = import_module(f"shop.{service}.settings").Settings
    assert set(told) <= {setting.variable for setting in described(kind, service.upper())}
    load(kind, service.upper(), told)


def containers(resource: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = resource["spec"]["template"]["spec"]["containers"]
    return found


def test_compose_is_as_its_specification_says() -> None:
    compose = pytest.importorskip("compose_spec", reason="this package carries Compose's specification")
    compose.PyCompose.from_json(json.dumps(read("compose.yaml")))


def test_compose_refuses_what_its_specification_does_not_have() -> None:
    compose = pytest.importorskip("compose_spec", reason="this package carries Compose's specification")
    document = read("compose.yaml")
    document["services"]["postgres"]["portz"] = []
    with pytest.raises(ValueError, match="portz"):
        compose.PyCompose.from_json(json.dumps(document))


def test_each_service_in_compose_can_start_with_what_it_is_told() -> None:
    secrets, services = drawn(), read("compose.yaml")["services"]
    for each in IN_COMPOSE:
        for name in each.names():
            assert services[name]["command"] == [each.name]
            accepted(each.name, {key: filled(value, secrets) for key, value in services[name]["environment"].items()})


def test_replicas_in_compose_make_ids_that_differ() -> None:
    workers = [
        value
        for service in read("compose.yaml")["services"].values()
        for key, value in service.get("environment", {}).items()
        if key.endswith("_IDS_WORKER")
    ]
    assert len(workers) == len(set(workers))


def test_compose_depends_on_what_is_there_and_mounts_what_is_there() -> None:
    document = read("compose.yaml")
    for service in document["services"].values():
        assert set(service.get("depends_on", ())) <= set(document["services"])
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in document["volumes"]


def test_nothing_in_compose_listens_beyond_this_machine() -> None:
    published = [port for service in read("compose.yaml")["services"].values() for port in service.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_edges_routes_are_those_of_the_local_stack() -> None:
    at = {port: {each.name: [f"{name}:{port}" for name in each.names()] for each in CATALOGUE} for port in (8000, 9000)}
    assert read("traefik/routes.yaml") == routes(CATALOGUE, at[8000], at[9000])


def test_prometheus_asks_every_replica() -> None:
    jobs = {
        job["job_name"]: job["static_configs"][0]["targets"] for job in read("prometheus/prometheus.yaml")["scrape_configs"]
    }
    assert {each.name: [f"{name}:8000" for name in each.names()] for each in IN_COMPOSE}.items() <= jobs.items()


def test_the_reconciler_in_compose_knows_prometheus_and_whoever_looks_by_their_tokens() -> None:
    """Beyond loopback it listens with tokens alone."""
    secrets, document = drawn(), read("compose.yaml")
    told = document["services"]["reconciler"]["environment"]
    known = parse_tokens(filled(told["RECONCILER_TOKENS"], secrets), "compose.yaml")
    roles = {name: known.find(secrets[f"SAGACITY_{name}_TOKEN"]) for name in ("VIEWER", "OPERATOR")}
    assert {name: each and [*each.roles] for name, each in roles.items()} == {"VIEWER": ["viewer"], "OPERATOR": ["operator"]}
    [job] = [each for each in read("prometheus/prometheus.yaml")["scrape_configs"] if each["job_name"] == "reconciler"]
    shown = job["authorization"]["credentials_file"].removeprefix("/run/secrets/")
    assert document["services"]["prometheus"]["secrets"] == [shown]
    assert document["secrets"][shown] == {"environment": "SAGACITY_VIEWER_TOKEN"}


def test_the_reconciler_in_compose_judges_by_the_shops_workflow_and_is_led_to() -> None:
    services = read("compose.yaml")["services"]
    reconciler = services["reconciler"]
    workflow = Path(reconciler["environment"]["RECONCILER_WORKFLOWS"])
    [mounted] = [volume.split(":") for volume in reconciler["volumes"] if volume.startswith(".")]
    assert str(workflow.parent) == mounted[1]
    assert load_workflow(DEPLOY / mounted[0] / workflow.name).name == "shop"
    [published] = reconciler["ports"]
    assert services["storefront"]["environment"]["STOREFRONT_CASE_URL"] == (
        f"http://{published.removesuffix(':8000')}/case?workflow=shop&case={{purchase}}"
    )


@pytest.mark.parametrize("file", sorted((DEPLOY / "grafana/dashboards").glob("*.json")), ids=lambda file: file.stem)
def test_dashboards_ask_for_metrics_that_there_are(file: Path) -> None:
    board = json.loads(file.read_text())
    sources = {each["uid"] for each in read("grafana/provisioning/datasources/datasources.yaml")["datasources"]}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    source = "".join(path.read_text() for folder in ("src", "shop/src") for path in (DEPLOY.parent / folder).rglob("*.py"))
    for panel in board["panels"]:
        assert panel["datasource"]["uid"] in sources
        for target in panel["targets"]:
            for metric in re.findall(r"\b((?:shop|sagacity)_[a-z_]+)", target["expr"]):
                name = re.sub(r"_(bucket|count|sum|total)$", "", metric)
                assert f'"{name}"' in source or f'"{metric}"' in source, f"{panel['title']}: nothing makes {metric}"


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool is at hand")
def test_prometheus_reads_the_alerts_and_what_dashboards_ask(tmp_path: Path) -> None:
    asked = [each.expr for board in ("shop", "reconciler") for each in queries(board)]
    records = [{"record": f"asked:{number}", "expr": expr} for number, expr in enumerate(asked)]
    boards = tmp_path / "boards.yaml"
    boards.write_text(yaml.safe_dump({"groups": [{"name": "boards", "rules": records}]}))
    told = subprocess.run(
        [str(PROMTOOL), "check", "rules", str(ALERTS), str(boards)], capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 0, told.stderr


SERIES = {
    "ReplicaGone": 'up{job="order", instance="order:8000"}',
    "OutboxStands": 'sagacity_outbox_oldest_seconds{job="order", instance="order:8000", outbox="order"}',
    "TopicRefused": 'sagacity_outbox_failing_topics{job="orchestrator", instance="o:8000", outbox="orchestrator"}',
    "DeadLetters": 'sagacity_dead_letters{job="warehouse", instance="w:8000", consumer="warehouse"}',
    "SagaParked": 'sagacity_sagas{job="orchestrator", instance="o:8000", saga="purchase", status="parked"}',
    "CacheWithoutRedis": 'shop_cache_breakers_open{job="order", instance="order:8000", cache="order:1"}',
    "SagaParkedForLong": 'sagacity_saga_parked_oldest_seconds{job="orchestrator", instance="o:8000", saga="purchase"}',
    "ChargesOverdue": 'shop_charges{job="payment", instance="p:8000", state="overdue"}',
}
"""What each alert looks at."""
BESIDE = {
    "SagaParkedForLong": {
        'shop_answers_kept_seconds{job="order", instance="order:8000", service="order"}': 1000,
        'shop_answers_kept_seconds{job="product", instance="product:8000", service="product"}': 2000,
    }
}
BEFORE_AND_AFTER = {"ReplicaGone": ("1", "0"), "OutboxStands": ("2", "95"), "SagaParkedForLong": ("499", "501")}
LABELS = {
    "ReplicaGone": {"job": "order", "instance": "order:8000"},
    "OutboxStands": {"outbox": "order"},
    "TopicRefused": {"outbox": "orchestrator"},
    "DeadLetters": {"job": "warehouse", "consumer": "warehouse"},
    "SagaParked": {"saga": "purchase"},
    "CacheWithoutRedis": {"job": "order", "instance": "order:8000", "cache": "order:1"},
    "SagaParkedForLong": {"saga": "purchase"},
    "ChargesOverdue": {"job": "payment"},
}
"""What it says whom it is about by."""


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool is at hand")
def test_alerts_are_raised_where_something_is_the_matter_and_nowhere_else(tmp_path: Path) -> None:
    rules = {rule["alert"]: rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]}
    tests = []
    for name, series in SERIES.items():
        before, after = BEFORE_AND_AFTER.get(name, ("0", "2"))
        summary = rules[name]["annotations"]["summary"].replace("{{ $value }}", after)
        for label, value in LABELS[name].items():
            summary = summary.replace("{{ $labels." + label + " }}", value)
        raised = {"exp_labels": LABELS[name], "exp_annotations": {"summary": summary}}
        tests.append(
            {
                "interval": "30s",
                "input_series": [
                    {"series": series, "values": f"{before}x9 {after}x20"},
                    *({"series": beside, "values": f"{level}x29"} for beside, level in BESIDE.get(name, {}).items()),
                ],
                "alert_rule_test": [
                    {"eval_time": "4m", "alertname": name, "exp_alerts": []},
                    {"eval_time": "12m", "alertname": name, "exp_alerts": [raised]},
                ],
            }
        )
    story = tmp_path / "story.yaml"
    story.write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "tests": tests}))
    told = subprocess.run([str(PROMTOOL), "test", "rules", str(story)], capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.stem)
def test_manifests_are_as_kubernetes_says(file: Path) -> None:
    validator = pytest.importorskip("kubernetes_validate", reason="this package carries Kubernetes' schemas")
    for resource in yaml.safe_load_all(file.read_text()):
        validator.validate(resource, KUBERNETES, strict=True)


def test_a_manifest_with_a_key_that_kubernetes_does_not_know_is_refused() -> None:
    validator = pytest.importorskip("kubernetes_validate", reason="this package carries Kubernetes' schemas")
    resource = next(each for each in resources() if each["kind"] == "Deployment")
    resource["spec"]["replica"] = 3
    with pytest.raises(validator.ValidationError):
        validator.validate(resource, KUBERNETES, strict=True)


@pytest.mark.parametrize("service", SHOP, ids=lambda service: service.name)
def test_each_service_in_kubernetes_can_start_with_what_it_is_told(service: Service) -> None:
    secrets = drawn()
    deployment = next(
        each for each in resources() if each["kind"] == "Deployment" and each["metadata"]["name"] == service.name
    )
    container = containers(deployment)[0]
    told = {}
    for variable in container["env"]:
        key = variable.get("valueFrom", {}).get("secretKeyRef", {}).get("key")
        told[variable["name"]] = secrets[key] if key else variable["value"]
    accepted(service.name, told)
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert deployment["spec"]["template"]["spec"]["enableServiceLinks"] is False


def test_pods_have_longer_to_end_than_services_take_to_drain() -> None:
    for deployment in (each for each in resources() if each["kind"] == "Deployment"):
        told = {variable["name"]: variable.get("value") for variable in containers(deployment)[0]["env"]}
        name = deployment["metadata"]["name"].upper()
        assert told[f"{name}_LIFE_UNREADY_FOR"] == "5s"
        assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > 5 + 20


def test_selectors_ports_and_backends_lead_somewhere() -> None:
    found = list(resources())
    pods = {
        each["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"]: each
        for each in found
        if each["kind"] in ("Deployment", "StatefulSet")
    }
    services = {each["metadata"]["name"]: each for each in found if each["kind"] == "Service"}
    for service in services.values():
        pod = pods[service["spec"]["selector"]["app.kubernetes.io/name"]]
        listening = {port["containerPort"] for container in containers(pod) for port in container["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= listening
    edge = next(each for each in found if each["kind"] == "Ingress")
    paths = {path["path"]: path["backend"]["service"]["name"] for path in edge["spec"]["rules"][0]["http"]["paths"]}
    assert paths == {path: service.name for service in SHOP for path in (*service.paths, *service.pages)}
    assert set(paths.values()) <= set(services)


def test_kustomize_names_every_manifest_and_nothing_else() -> None:
    document = read("kustomization.yaml")
    assert {DEPLOY / name for name in document["resources"]} == set(MANIFESTS)
    assert all((DEPLOY / name).exists() for each in document["configMapGenerator"] for name in each["files"])


def test_every_topic_is_made() -> None:
    made = read("compose.yaml")["services"]["kafka-topics"]["command"][0]
    job = next(each for each in resources() if each["kind"] == "Job" and each["metadata"]["name"] == "kafka-topics")
    for script in (made, containers(job)[0]["command"][-1]):
        found = re.search(r"for topic in (.*?); do", script)
        assert found is not None
        assert found[1].split() == list(topics.ALL)


@pytest.mark.parametrize("script", ["postgres/databases.sh", "redis/join.sh"])
def test_scripts_can_be_read_by_a_shell_and_name_every_service(script: str) -> None:
    assert subprocess.run(["sh", "-n", str(DEPLOY / script)], timeout=20).returncode == 0
    if script.startswith("postgres"):
        found = re.search(r"for service in (.*?); do", (DEPLOY / script).read_text())
        assert found is not None
        assert set(found[1].split()) == {service.name for service in SHOP if "database" in service.needs}


def test_no_secret_is_committed() -> None:
    secrets = re.compile(r"(PASSWORD|TOKEN|KEYS|_URL)\w*['\"]?[:=]\s*(?!\$\{)(?!['\"]?\$)\S*[A-Za-z0-9+/]{24,}")
    for file in DEPLOY.rglob("*"):
        if file.is_file() and file.name != ".env" and file.suffix != ".py":
            assert not secrets.search(file.read_text()), file
