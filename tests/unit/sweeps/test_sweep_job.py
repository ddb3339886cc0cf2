"""The RayJob that runs a sweep on KubeRay."""

import copy
import shlex
from pathlib import Path

import pytest
import yaml

from optionchain.sweeps.wire import sweep_from_wire
from tests.kuberay_schema import refusals

FILE = Path(__file__).parents[3] / "k8s" / "overlays" / "sweeps" / "sweep-job.yaml"


@pytest.fixture(scope="module")
def objects():
    return {each["kind"]: each for each in yaml.safe_load_all(FILE.read_text())}


def test_it_is_what_kuberays_definitions_allow(objects):
    assert refusals(objects["RayJob"]) == []


def test_kuberays_definitions_refuse_what_they_do_not_know(objects):
    wrong = copy.deepcopy(objects["RayJob"])
    wrong["spec"]["rayClusterSpec"]["headGroupSpec"]["replica"] = 1
    wrong["spec"]["backoffLimit"] = "two"

    found = refusals(wrong)

    assert len(found) == 2
    assert any(
        line.startswith("spec/rayClusterSpec/headGroupSpec: ") and "'replica'" in line for line in found
    )
    assert any(line.startswith("spec/backoffLimit: ") for line in found)


def test_the_sweep_that_it_mounts_is_a_sweep(objects):
    (text,) = objects["ConfigMap"]["data"].values()

    assert len(sweep_from_wire(yaml.safe_load(text)).plan) == 100


def test_its_command_reads_the_mounted_file_and_writes_to_the_mounted_volume(objects):
    head = objects["RayJob"]["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]
    folders = {mount["name"]: mount["mountPath"] for mount in head["containers"][0]["volumeMounts"]}
    (file,) = objects["ConfigMap"]["data"]
    command = shlex.split(objects["RayJob"]["spec"]["entrypoint"])

    assert command[:3] == ["optionchain", "sweep", f"{folders['sweep']}/{file}"]
    assert command[command.index("--output") + 1] == folders["results"]
    sources = {volume["name"]: volume for volume in head["volumes"]}
    assert sources["sweep"]["configMap"]["name"] == objects["ConfigMap"]["metadata"]["name"]
    claim = sources["results"]["persistentVolumeClaim"]["claimName"]
    assert claim == objects["PersistentVolumeClaim"]["metadata"]["name"]


def test_the_driver_leaves_the_cpus_to_the_tasks(objects):
    spec = objects["RayJob"]["spec"]

    assert spec["entrypointNumCpus"] == 0
    assert spec["rayClusterSpec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
