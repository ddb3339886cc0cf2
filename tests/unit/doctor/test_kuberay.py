"""What `optionchain doctor` says of a RayService that KubeRay takes, and that then never serves."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cluster.commands.app import app
from cluster.doctor.finding import Finding, Grade
from cluster.doctor.kuberay import kuberay_findings, objects_in

CONFIG: dict[str, Any] = {
    "http_options": {"port": 8000},
    "applications": [{"name": "optionchain", "import_path": "optionchain_server.entry:app"}],
}
SETTINGS = {"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"OCS_HTTP_REPLICAS": "2"}}


def group(*, workers: tuple[int, int] | None = None) -> dict[str, Any]:
    container = {
        "ports": [{"name": "serve", "containerPort": 8000}],
        "envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "keys"}}],
    }
    bounds = {"minReplicas": workers[0], "maxReplicas": workers[1]} if workers else {}
    return {"template": {"spec": {"containers": [container]}}, **bounds}


def service(*, workers: tuple[int, int] = (2, 2), **config: Any) -> dict[str, Any]:
    cluster = {"headGroupSpec": group(), "workerGroupSpecs": [group(workers=workers)]}
    spec = {"serveConfigV2": yaml.safe_dump({**CONFIG, **config}), "rayClusterConfig": cluster}
    return {"kind": "RayService", "metadata": {"name": "chains"}, "spec": spec}


def status(ready: str, application: str, message: str = "") -> dict[str, Any]:
    return {
        "conditions": [{"type": "Ready", "status": ready, "message": "no head"}],
        "activeServiceStatus": {
            "applicationStatuses": {"optionchain": {"status": application, "message": message}}
        },
    }


def worker(ready: str) -> dict[str, Any]:
    labels = {"ray.io/node-type": "worker", "ray.io/serve": "true"}
    condition = [{"type": "Ready", "status": ready}]
    return {
        "kind": "Pod",
        "metadata": {"name": "w1", "labels": labels},
        "status": {"phase": "Running", "conditions": condition},
    }


def not_good(*objects: dict[str, Any]) -> list[Finding]:
    found = list(kuberay_findings([SETTINGS, *objects]))
    assert all(bool(each.remedy) == (each.grade is not Grade.GOOD) for each in found)
    return [each for each in found if each.grade is not Grade.GOOD]


def test_what_runs_well_is_good() -> None:
    assert not_good(service() | {"status": status("True", "RUNNING")}, worker("True")) == []


def test_a_head_without_a_port_named_serve_is_bad() -> None:
    wrong = service()
    wrong["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]["containers"][0]["ports"] = []

    (found,) = not_good(wrong)

    assert (found.what, found.grade) == ("chains: port of the head", Grade.BAD)
    assert "add {name: serve, containerPort: 8000}" in found.remedy


def test_a_port_that_is_not_the_one_of_the_serve_config_is_bad() -> None:
    (found,) = not_good(service(http_options={"port": 9000}))

    assert "containerPort: 9000" in found.remedy


@pytest.mark.parametrize(
    ("workers", "replicas", "grade"),
    [
        ((2, 2), "2", None),
        ((2, 8), "2:8", None),
        ((3, 3), "2", Grade.BAD),
        ((2, 8), "2", Grade.DOUBTFUL),
        ((2, 8), "2:4", Grade.DOUBTFUL),
        ((3, 8), "2:8", Grade.BAD),
    ],
)
def test_a_worker_more_than_replicas_is_told(
    workers: tuple[int, int], replicas: str, grade: Grade | None
) -> None:
    settings = SETTINGS | {"data": {"OCS_HTTP_REPLICAS": replicas}}

    found = not_good(service(workers=workers), settings)

    assert [each.grade for each in found] == ([grade] if grade else [])
    assert all("a worker without a replica has no HAProxy" in each.remedy for each in found)


def test_replicas_that_are_no_number_are_told() -> None:
    (found,) = not_good(service(), SETTINGS | {"data": {"OCS_HTTP_REPLICAS": "many"}})

    assert found.told.startswith("OCS_HTTP_REPLICAS must be a number")


def test_a_variable_of_the_container_counts_for_more_than_one_of_a_map() -> None:
    wrong = service()
    (workers,) = wrong["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    workers["template"]["spec"]["containers"][0]["env"] = [{"name": "OCS_HTTP_REPLICAS", "value": "1"}]

    (found,) = not_good(wrong)

    assert found.told == "1 (OCS_HTTP_REPLICAS) for 2 workers"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"applications": [CONFIG["applications"][0] | {"args": {"replicas": 2}}]}, "it has args: replicas"),
        ({"applications": [{"import_path": "serve_app.entry:app"}]}, "it starts serve_app.entry:app"),
        ({"applications": []}, "it starts None"),
    ],
)
def test_a_serve_config_of_another_service_is_bad(changes: dict[str, Any], told: str) -> None:
    (found,) = not_good(service(**changes))

    assert (found.what, found.told) == ("chains: Serve config", told)


def test_a_serve_config_that_is_no_yaml_is_bad() -> None:
    wrong = service()
    wrong["spec"]["serveConfigV2"] = "a: [}"

    (found,) = not_good(wrong)

    assert "no YAML" in found.told


def test_a_config_that_ray_refused_is_bad_although_it_is_ready() -> None:
    (found,) = not_good(service() | {"status": status("True", "DEPLOY_FAILED", "no such setting")})

    assert (found.what, found.grade) == ("chains: optionchain, active", Grade.BAD)
    assert found.told == "DEPLOY_FAILED: no such setting"


def test_what_is_not_there_yet_is_doubtful_or_bad() -> None:
    state, application, pod = not_good(service() | {"status": status("False", "DEPLOYING")}, worker("False"))

    assert (state.told, state.grade) == ("not Ready: no head", Grade.BAD)
    assert application.grade is pod.grade is Grade.DOUBTFUL


def test_a_namespace_without_a_service_is_bad() -> None:
    (found,) = not_good(worker("True"))

    assert (found.what, found.told) == ("RayService", "there is none")


def test_manifests_are_read_from_a_pipe() -> None:
    text = yaml.safe_dump_all([SETTINGS, service(workers=(3, 3))])

    result = CliRunner().invoke(app, ["doctor", "--manifests", "-", "--json"], input=text)

    grades = {each["what"]: each["grade"] for each in json.loads(result.stdout)}
    assert grades == {
        "chains: port of the head": "good",
        "chains: replicas": "bad",
        "chains: Serve config": "good",
    }
    assert result.exit_code == 1


def test_what_is_no_manifest_is_told() -> None:
    result = CliRunner().invoke(app, ["doctor", "--manifests", "-"], input="a: [}")

    assert "manifests: no YAML" in result.stdout
    assert result.exit_code == 1


def test_documents_that_are_no_objects_are_passed_over() -> None:
    assert objects_in("---\n---\na\n---\n" + yaml.safe_dump(copy.deepcopy(SETTINGS))) == [SETTINGS]
