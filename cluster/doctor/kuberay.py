"""What nobody tells of a wrong RayService: KubeRay takes it, and then it is never ready, or serves what it had before.

The objects are those of `kubectl kustomize`, before they are applied, or of `kubectl get`, with what became of them.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from cluster.doctor.finding import Finding, Grade, judged
from cluster.scale import parse_scale

Object = Mapping[str, Any]

KINDS = "rayservices.ray.io,configmaps,pods"
SECONDS = 60.0
ENTRY = "optionchain_server.entry:app"
REPLICAS, FEWEST_REPLICAS = "OCS_HTTP_REPLICAS", "1"
SERVE_PORT = 8000
NO_ERROR = ("RUNNING", "DEPLOYING", "NOT_STARTED", "UPDATING")


def objects_of(namespace: str) -> list[Object]:
    """What a cluster has in a namespace, by `kubectl`.

    Raises:
        OSError: There is no `kubectl`, or it has no answer; the message says which.
    """
    command = ["kubectl", "get", KINDS, "--namespace", namespace, "--output", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as problem:
        raise OSError(f"no answer within {SECONDS:.0f} s") from problem
    if done.returncode:
        raise OSError(done.stderr.strip().rpartition("\n")[2])
    items: list[Object] = json.loads(done.stdout)["items"]
    return items


def objects_in(text: str) -> list[Object]:
    """The objects of a stream of YAML documents.

    Raises:
        ValueError: It is none.
    """
    try:
        return [each for each in yaml.safe_load_all(text) if isinstance(each, dict)]
    except yaml.YAMLError as problem:
        raise ValueError(f"no YAML: {problem}") from problem


def kuberay_findings(objects: Sequence[Object]) -> Iterable[Finding]:
    """Look at every RayService among objects, and at the pods of workers."""
    services = [each for each in objects if each.get("kind") == "RayService"]
    if not services:
        yield Finding(
            "RayService", Grade.BAD, "there is none", "kubectl apply --server-side -k k8s/overlays/dev"
        )
    maps = {
        each["metadata"]["name"]: each.get("data", {}) for each in objects if each.get("kind") == "ConfigMap"
    }
    for service in services:
        name = service["metadata"]["name"]
        config = _serve_config(service)
        yield _head_port(name, service, config)
        yield _workers(name, service, maps)
        yield _config(name, config)
        if "status" in service:
            yield _readiness(name, service["status"])
            yield from _applications(name, service["status"])
    yield from (_worker_pod(each) for each in objects if each.get("kind") == "Pod" and _is_worker(each))


def _head_port(name: str, service: Object, config: Object) -> Finding:
    expected = config.get("http_options", {}).get("port", SERVE_PORT)
    container = _ray_container(_cluster(service)["headGroupSpec"])
    found = {port.get("name"): port["containerPort"] for port in container.get("ports", [])}
    return judged(
        f"{name}: port of the head",
        f"serve is {found['serve']}" if "serve" in found else "its container has no port named serve",
        is_good=found.get("serve") == expected,
        remedy=f"add {{name: serve, containerPort: {expected}}} to the ports of the head's container: "
        "else the RayService is never Ready, and only the operator's log says so",
    )


def _workers(name: str, service: Object, maps: Mapping[str, Mapping[str, str]]) -> Finding:
    """A worker without a replica has no HAProxy, so its pod is never ready."""
    groups = _cluster(service).get("workerGroupSpecs", [])
    fewest = sum(group.get("minReplicas", group.get("replicas", 0)) for group in groups)
    most = sum(group.get("maxReplicas", group.get("replicas", 0)) for group in groups)
    replicas = _variable(groups, maps, REPLICAS)
    try:
        scale = parse_scale(replicas)
    except ValueError as problem:
        return Finding(f"{name}: replicas", Grade.BAD, f"{REPLICAS} {problem}", "correct it")
    told = f"{fewest} to {most} workers" if most > fewest else f"{fewest} workers"
    return judged(
        f"{name}: replicas",
        f"{replicas} ({REPLICAS}) for {told}",
        is_good=scale.fewest >= fewest and scale.most >= most,
        remedy=f"{REPLICAS} is to be {_range(fewest, most)} or more: "
        "a worker without a replica has no HAProxy, and its pod is never Ready",
        otherwise=Grade.DOUBTFUL if scale.fewest >= fewest else Grade.BAD,
    )


def _range(fewest: int, most: int) -> str:
    return f"{fewest}:{most}" if most > fewest else str(fewest)


def _config(name: str, config: Object) -> Finding:
    """What the operator passes on to Ray without a look."""
    applications = config.get("applications") or [{}]
    paths = [application.get("import_path") for application in applications]
    if not config:
        told = "serveConfigV2 is no YAML of names and values"
    elif paths != [ENTRY]:
        told = f"it starts {', '.join(map(str, paths))}"
    elif arguments := applications[0].get("args"):
        told = f"it has args: {', '.join(arguments)}"
    else:
        return Finding(f"{name}: Serve config", Grade.GOOD, f"it starts {ENTRY}")
    remedy = f"take ray_config/serve.yaml: one application, {ENTRY}, without args"
    return Finding(f"{name}: Serve config", Grade.BAD, told, remedy)


def _readiness(name: str, status: Object) -> Finding:
    (ready,) = [each for each in status.get("conditions", []) if each["type"] == "Ready"] or [{}]
    return judged(
        f"{name}: state",
        "Ready"
        if ready.get("status") == "True"
        else f"not Ready: {ready.get('message', 'the operator has not seen it')}",
        is_good=ready.get("status") == "True",
        remedy=f"kubectl describe rayservice {name}, and the log of the operator",
    )


def _applications(name: str, status: Object) -> Iterable[Finding]:
    """Ready says that something serves, not that it is what was asked for."""
    for phase in ("activeServiceStatus", "pendingServiceStatus"):
        for application, found in status.get(phase, {}).get("applicationStatuses", {}).items():
            yield judged(
                f"{name}: {application}, {phase.removesuffix('ServiceStatus')}",
                f"{found['status']}{': ' if found.get('message') else ''}{found.get('message', '').strip()}",
                is_good=found["status"] == "RUNNING",
                remedy="correct serveConfigV2 or the settings; what ran before serves on"
                if found["status"] not in NO_ERROR
                else "wait until it is RUNNING",
                otherwise=Grade.DOUBTFUL if found["status"] in NO_ERROR else Grade.BAD,
            )


def _worker_pod(pod: Object) -> Finding:
    conditions = {each["type"]: each["status"] for each in pod.get("status", {}).get("conditions", [])}
    return judged(
        f"pod {pod['metadata']['name']}",
        "Ready" if conditions.get("Ready") == "True" else f"{pod.get('status', {}).get('phase')}, not Ready",
        is_good=conditions.get("Ready") == "True",
        remedy=f"wait a minute; a worker that stays so has no replica, and gets no traffic: raise {REPLICAS}, "
        "or redeploy where another has two",
        otherwise=Grade.DOUBTFUL,
    )


def _is_worker(pod: Object) -> bool:
    labels: Mapping[str, str] = pod["metadata"].get("labels", {})
    return labels.get("ray.io/node-type") == "worker" and "ray.io/serve" in labels


def _serve_config(service: Object) -> Object:
    try:
        config = yaml.safe_load(service["spec"].get("serveConfigV2", ""))
    except yaml.YAMLError:
        return {}
    return config if isinstance(config, dict) else {}


def _cluster(service: Object) -> Object:
    cluster: Object = service["spec"]["rayClusterConfig"]
    return cluster


def _ray_container(group: Object) -> Object:
    container: Object = group["template"]["spec"]["containers"][0]
    return container


def _variable(groups: Sequence[Object], maps: Mapping[str, Mapping[str, str]], name: str) -> str:
    """What the nodes have in their environment; a later source wins, and what is named one by one."""
    found = FEWEST_REPLICAS
    for group in groups[:1]:
        container = _ray_container(group)
        for source in container.get("envFrom", []):
            found = maps.get(source.get("configMapRef", {}).get("name"), {}).get(name, found)
        for variable in container.get("env", []):
            if variable["name"] == name and "value" in variable:
                found = variable["value"]
    return found
