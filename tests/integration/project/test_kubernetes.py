"""Every overlay of `k8s/` renders, is what the schemas allow, and asks for nothing that an auditor would refuse."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from make_copies import copies

from cluster.doctor.finding import Grade
from cluster.doctor.kuberay import kuberay_findings
from cluster.instance.node_variables import EVERY_NODE, IN_COMPANY, WITH_HAPROXY, node_variables
from cluster.settings import Settings, fields
from optionchain import __version__
from tests.kubernetes import K8S, OVERLAYS, Object, containers, pods, refusals, rendered

ROOT = K8S.parent
SERVING = ("dev", "production")


@pytest.fixture(scope="module")
def overlays() -> dict[str, list[Object]]:
    return {name: rendered(K8S / "overlays" / name) for name in OVERLAYS}


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest, overlays: dict[str, list[Object]]) -> list[Object]:
    return overlays[request.param]


@pytest.fixture(params=SERVING)
def serving(request: pytest.FixtureRequest, overlays: dict[str, list[Object]]) -> list[Object]:
    return overlays[request.param]


def only(objects: list[Object], kind: str) -> Object:
    (found,) = (each for each in objects if each["kind"] == kind)
    return found


def every_pod(objects: list[Object]) -> Iterator[Object]:
    for each in objects:
        yield from pods(each)


def groups(service: Object) -> list[Object]:
    cluster = service["spec"]["rayClusterConfig"]
    return [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]


def test_every_object_is_what_its_schema_says(overlay: list[Object]) -> None:
    assert {f"{each['kind']}: {line}" for each in overlay for line in refusals(each)} == set()


@pytest.mark.parametrize(
    ("kind", "path", "name"),
    [
        ("RayService", ("spec", "rayClusterConfig", "headGroupSpec"), "replica"),
        ("PodDisruptionBudget", ("spec",), "minAvailible"),
        ("NetworkPolicy", ("spec",), "ingres"),
    ],
)
def test_a_misspelt_field_is_refused(
    kind: str, path: tuple[str, ...], name: str, overlays: dict[str, list[Object]]
) -> None:
    wrong = copy.deepcopy(next(each for each in overlays["production"] if each["kind"] == kind))
    place: Any = wrong
    for part in path:
        place = place[part]
    place[name] = 1

    assert refusals(wrong)


def test_what_is_copied_from_ray_config_is_what_is_there() -> None:
    wrong = [
        str(path)
        for path, text in copies().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]

    assert wrong == [], "python k8s/make_copies.py makes them again"
    found = [
        path for name in ("base/nodes", "overlays/observe/dashboards") for path in (K8S / name).iterdir()
    ]
    assert set(found) <= set(copies())


def test_what_has_no_schema_of_its_own_is_nowhere(overlay: list[Object]) -> None:
    for each in overlay:
        assert each["apiVersion"] not in {"ray.io/v1alpha1", "batch/v1beta1", "policy/v1beta1"}


def test_a_pod_is_restricted_bounded_and_of_a_version(overlay: list[Object]) -> None:
    for pod in every_pod(overlay):
        security = pod["spec"]["securityContext"]
        assert security["runAsNonRoot"]
        assert security["runAsUser"] > 0
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod["spec"])
        assert not [volume for volume in pod["spec"].get("volumes", []) if "hostPath" in volume]
        for container in containers(pod):
            is_restricted(container)


def is_restricted(container: Object) -> None:
    security = container["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert not security.get("privileged")
    assert set(container["resources"]) == {"requests", "limits"}
    assert set(container["resources"]["limits"]) >= {"cpu", "memory"}
    name, _, tag = container["image"].rpartition(":")
    assert name
    assert tag != "latest"
    assert name != "optionchain-simulator" or tag == __version__


def test_a_pod_of_ours_writes_to_volumes_alone(serving: list[Object]) -> None:
    for pod in every_pod(serving):
        for container in containers(pod):
            assert container["securityContext"]["readOnlyRootFilesystem"]
            mounts = {mount["name"] for mount in container["volumeMounts"]}
            assert mounts <= {volume["name"] for volume in pod["spec"]["volumes"]}


def test_rays_own_containers_are_restricted_too(overlays: dict[str, list[Object]]) -> None:
    service = only(overlays["production"], "RayService")["spec"]["rayClusterConfig"]
    sweep = only(overlays["sweeps"], "RayJob")["spec"]["rayClusterSpec"]

    for cluster in (service, sweep):
        assert cluster["enableInTreeAutoscaling"]
        assert cluster["autoscalerOptions"]["version"] == "v2"
        security = cluster["autoscalerOptions"]["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}


def test_only_who_talks_to_kubernetes_has_a_token(overlays: dict[str, list[Object]]) -> None:
    talkative = {
        (name, container["name"])
        for name, objects in overlays.items()
        for pod in every_pod(objects)
        if pod["spec"].get("automountServiceAccountToken", True)
        for container in pod["spec"]["containers"]
    }

    # The heads that have an autoscaler, and whoever submits the nightly sweep.
    assert talkative == {("production", "ray-head"), ("sweeps", "ray-head"), ("sweeps", "submit")}


def test_no_secret_is_in_a_manifest(overlay: list[Object]) -> None:
    assert [each["metadata"]["name"] for each in overlay if each["kind"] == "Secret"] == []


def test_every_variable_is_a_setting_or_one_of_rays(serving: list[Object]) -> None:
    known = {name for name, _ in fields()} | set(node_variables(EVERY_NODE, WITH_HAPROXY, IN_COMPANY))
    maps = {each["metadata"]["name"]: each["data"] for each in serving if each["kind"] == "ConfigMap"}
    service = only(serving, "RayService")

    for group in groups(service):
        (container,) = group["template"]["spec"]["containers"]
        sources = [next(iter(source.values()))["name"] for source in container["envFrom"]]
        assert sources[:2] == sorted(maps)
        assert sources[2:] == ["optionchain"], "the Secret comes last"
    assert {name for data in maps.values() for name in data} <= known
    assert set(maps[sources[0]]) == set(node_variables(EVERY_NODE, WITH_HAPROXY, IN_COMPANY))


def test_the_settings_are_taken(serving: list[Object], monkeypatch: pytest.MonkeyPatch) -> None:
    (data,) = (
        each["data"]
        for each in serving
        if each["kind"] == "ConfigMap" and each["metadata"]["name"].startswith("optionchain-settings")
    )
    for name, value in data.items():
        monkeypatch.setenv(name, value)

    settings = Settings(ray={"address": "auto"})

    # What asks for CPUs has room, also on one worker less where there are several.
    cluster = only(serving, "RayService")["spec"]["rayClusterConfig"]
    (workers,) = cluster["workerGroupSpecs"]
    cpus = int(workers["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"])
    asked = settings.http.scale.fewest * settings.ray.cpus_of_replica
    asked += int(settings.session.placement.removeprefix("shards:")) * settings.ray.cpus_of_actor("shards:1")
    assert asked <= cpus * max(workers["replicas"] - 1, 1)
    assert settings.http.scale.fewest >= workers["replicas"], "a worker without a replica has no HAProxy"


def test_a_ray_service_avoids_what_nothing_but_the_operators_log_tells(serving: list[Object]) -> None:
    service = only(serving, "RayService")
    config = yaml.safe_load(service["spec"]["serveConfigV2"])

    assert config == yaml.safe_load((ROOT / "ray_config" / "serve.yaml").read_text(encoding="utf-8"))
    assert len(service["metadata"]["name"]) <= 47
    for group in groups(service):
        (container,) = group["template"]["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports["serve"] == config["http_options"]["port"], "without it, it is never ready"
        # The operator gives Ray what is in the limits, and rounds up parts of CPUs.
        assert container["resources"]["requests"] == container["resources"]["limits"]
        assert container["resources"]["limits"]["cpu"].isdigit()
        assert "readinessProbe" not in container, "the operator's says where HAProxy serves"


def test_the_operator_has_nothing_to_add_to_the_workers(overlays: dict[str, list[Object]]) -> None:
    """What it adds is its own: the next server-side apply would be a conflict."""
    services = [only(overlays[name], "RayService")["spec"]["rayClusterConfig"] for name in SERVING]
    clusters = [*services, only(overlays["sweeps"], "RayJob")["spec"]["rayClusterSpec"]]

    assert [group["scaleStrategy"] for each in clusters for group in each["workerGroupSpecs"]] == [{}, {}, {}]


def test_the_doctor_finds_nothing_bad(serving: list[Object]) -> None:
    assert [found for found in kuberay_findings(serving) if found.grade is Grade.BAD] == []


def test_a_pod_that_ends_has_time_to_drain_and_is_never_stopped_by_ray(serving: list[Object]) -> None:
    drain = int(node_variables(IN_COMPANY)["RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"])
    head, worker = groups(only(serving, "RayService"))

    assert worker["template"]["spec"]["terminationGracePeriodSeconds"] >= 2 * drain
    assert head["template"]["spec"]["terminationGracePeriodSeconds"] > drain
    hook = worker["template"]["spec"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert hook == ["optionchain", "leave"]


def test_a_budget_lets_the_machines_be_drained(overlays: dict[str, list[Object]]) -> None:
    for name in SERVING:
        budget = only(overlays[name], "PodDisruptionBudget")
        _, worker = groups(only(overlays[name], "RayService"))
        labels = worker["template"]["metadata"]["labels"]

        assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert isinstance(budget["spec"]["minAvailable"], int), "a RayCluster has no scale to take a share of"
        assert budget["spec"]["minAvailable"] < worker["minReplicas"]


def test_production_outlives_its_head_and_a_zone(overlays: dict[str, list[Object]]) -> None:
    cluster = only(overlays["production"], "RayService")["spec"]["rayClusterConfig"]
    (workers,) = cluster["workerGroupSpecs"]

    assert cluster["gcsFaultToleranceOptions"]["redisPassword"]["valueFrom"]["secretKeyRef"]
    # With a name of ours, the clusters of an upgrade would have one memory.
    assert "externalStorageNamespace" not in cluster["gcsFaultToleranceOptions"]
    spread = {rule["topologyKey"]: rule for rule in workers["template"]["spec"]["topologySpreadConstraints"]}
    assert spread["topology.kubernetes.io/zone"]["whenUnsatisfiable"] == "DoNotSchedule"
    assert workers["template"]["spec"]["restartPolicy"] == "Never", "the autoscaler v2 replaces pods itself"
    assert workers["minReplicas"] >= 2


def test_production_makes_backups_hourly_and_proves_them_weekly(overlays: dict[str, list[Object]]) -> None:
    settings: dict[str, str] = {}
    for each in overlays["production"]:
        settings |= each.get("data", {}) if each["kind"] == "ConfigMap" else {}

    assert settings["OCS_BACKUP_EVERY_SECONDS"] == "3600"
    assert settings["OCS_BACKUP_VERIFY_EVERY_SECONDS"] == str(7 * 24 * 3600)


def test_the_nightly_sweep_may_do_what_it_does_and_no_more(overlays: dict[str, list[Object]]) -> None:
    role = only(overlays["sweeps"], "Role")
    file = next(
        each["data"]["sweep-job.yaml"]
        for each in overlays["sweeps"]
        if each["metadata"]["name"].startswith("optionchain-nightly-")
    )
    made = [(each["kind"], each["metadata"]["name"]) for each in yaml.safe_load_all(file)]

    plurals = {
        "ConfigMap": "configmaps",
        "PersistentVolumeClaim": "persistentvolumeclaims",
        "RayJob": "rayjobs",
    }
    for kind, name in made:
        (rule,) = (rule for rule in role["rules"] if plurals[kind] in rule["resources"])
        assert name in rule.get("resourceNames", [name])
        assert "patch" in rule["verbs"]
    assert all("*" not in rule["verbs"] + rule["resources"] for rule in role["rules"])


def test_every_file_is_named_by_its_kustomization() -> None:
    for file in K8S.rglob("kustomization.yaml"):
        text = file.read_text(encoding="utf-8")
        beside = {path.name for path in file.parent.rglob("*") if path.is_file()} - {file.name}

        assert {name for name in beside if name not in text} == set(), file
