"""docker-compose.yml is what the Compose specification says, pins what it starts, and shuts out what it can."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema.validators import validator_for

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
# Their images have a user of their own who is not root.
OWN_USER = {"optionchain", "prometheus", "alertmanager", "grafana", "jaeger", "loki"}
ONE_OFF = {"mongo-replica-set", "redis-cluster"}
CANNOT_BE_ASKED = {"collector"}


def refusals(document: dict[str, Any]) -> list[str]:
    schema = get_builtin_schema("vendor.compose-spec")
    return [
        f"{error.json_path}: {error.message}" for error in validator_for(schema)(schema).iter_errors(document)
    ]


def test_it_is_what_the_specification_says() -> None:
    assert refusals(COMPOSE) == []


def test_the_specification_refuses_mistakes() -> None:
    wrong = copy.deepcopy(COMPOSE)
    wrong["services"]["redis"]["memory_limit"] = "1g"
    wrong["services"]["optionchain"]["depends_on"]["redis"]["condition"] = "service_helthy"

    assert {line.partition(":")[0] for line in refusals(wrong)} == {
        "$.services.redis",
        "$.services.optionchain.depends_on",
        "$.services.optionchain",
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_bounded_and_contained(name: str) -> None:
    service = SERVICES[name]

    tag = service["image"].rpartition(":")[2]
    assert re.search(r"\d+\.\d+\.\d+", tag), "a version, not a name that moves"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"]
    assert not service.get("privileged")
    assert service.get("user", "root").startswith("root") == (name in OWN_USER)
    assert all(service.get(bound) for bound in ("mem_limit", "cpus", "pids_limit"))
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_stays_says_whether_it_is_well(name: str) -> None:
    has_none = SERVICES[name].get("healthcheck", {}).get("disable", False)

    assert has_none == (name in ONE_OFF | CANNOT_BE_ASKED)
    assert has_none or SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", SERVICES)
def test_whoever_is_waited_for_is_waited_for_until_it_is_well(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        expected = "service_completed_successfully" if other in ONE_OFF else "service_healthy"
        assert how["condition"] == expected
        is_always_there = not set(SERVICES[other].get("profiles", [])) - set(
            SERVICES[name].get("profiles", [])
        )
        assert is_always_there or how["required"] is False, other


def test_the_stores_are_on_a_network_of_their_own_that_leads_nowhere() -> None:
    on_both = {name for name, service in SERVICES.items() if set(service["networks"]) == {"front", "stores"}}
    stores = {name for name, service in SERVICES.items() if set(service["networks"]) == {"stores"}}

    assert COMPOSE["networks"]["stores"]["internal"] is True
    assert on_both == {"optionchain"}
    assert {"redis", "mongo", "sentinel-1", "redis-cluster-1"} <= stores
    assert all("ports" not in SERVICES[name] for name in stores)


def test_a_store_is_found_at_its_address_by_all_who_use_it_though_it_does_not_run() -> None:
    addresses = {
        name: service["networks"]["stores"]["ipv4_address"]
        for name, service in SERVICES.items()
        if isinstance(service["networks"], dict) and "stores" in service["networks"]
    }
    users = [service for service in SERVICES.values() if "stores" in service["networks"]]

    assert len(set(addresses.values())) == len(addresses) == 16
    assert all(service["extra_hosts"] == addresses for service in users)
    assert all(
        SERVICES[name]["hostname"] == name for name in addresses if re.match(r"redis(-\d)?$|sentinel", name)
    )


def test_nothing_is_published_but_on_loopback_unless_somebody_says_so() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert len(published) == 4
    assert all(re.fullmatch(r"\$\{PUBLISH\w*:-127\.0\.0\.1:\d+\}:\d+", port) for port in published)


def test_every_file_that_is_mounted_is_there() -> None:
    files = [config["file"] for config in COMPOSE["configs"].values()]
    files += [
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    ]

    assert len(files) > 10
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("kind", ["configs", "secrets", "volumes"])
def test_what_is_declared_is_used_and_what_is_used_is_declared(kind: str) -> None:
    used = set()
    for service in SERVICES.values():
        for each in service.get(kind, []):
            used.add(each["source"] if isinstance(each, dict) else each.split(":")[0])

    assert {name for name in used if not name.startswith("./")} == set(COMPOSE[kind])


def test_every_variable_is_explained_in_the_example_with_the_default_that_it_has() -> None:
    used = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", TEXT))
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    explained = dict(re.findall(r"^([A-Z_]+)=(.*)$", example, re.MULTILINE))

    assert used == {name: value for name, value in explained.items() if name != "COMPOSE_PROFILES"}
    assert all(block.startswith("#") for block in example.split("\n\n"))


def test_no_secret_is_in_the_file_or_in_the_repository() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()

    assert {"/compose/secrets/", "/.env"} <= set(ignored)
    assert all(secret["file"].startswith("./compose/secrets/") for secret in COMPOSE["secrets"].values())
    assert re.findall(r"(?i)(?:password|key|token): *[\"']?\w{8,}", TEXT) == []


def test_backups_are_made_hourly_into_a_volume_and_proven_weekly() -> None:
    service = SERVICES["optionchain"]
    told = {
        name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", str(value)) for name, value in service["environment"].items()
    }

    assert told["OCS_BACKUP_EVERY_SECONDS"] == "3600"
    assert told["OCS_BACKUP_VERIFY_EVERY_SECONDS"] == str(7 * 24 * 3600)
    assert any(str(volume).partition(":")[2] == told["OCS_BACKUP_TO"] for volume in service["volumes"])
