"""The commands that runbooks name are those there are, and do what the pages say, on a running instance."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
from click.testing import Result
from typer.testing import CliRunner

from cluster.backup.place import Place
from cluster.commands.app import app
from tests.clusters import Cluster, create

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
COMMAND = re.compile(r"`optionchain ([^`]+)`")
# What ends, starts or replaces an instance, or takes stores that are lost, is run where there is one to lose.
ELSEWHERE = {
    "up": "tests/chaos/test_drills.py",
    "up --observe": "tests/e2e/test_observed.py",
    "down": "tests/chaos/test_drills.py",
    "redeploy": "tests/chaos/test_drills.py",
    "join HEAD --token-file TOKEN": "tests/chaos/test_drills.py",
    "top": "tests/e2e/test_metrics.py",
    "audit verify": "tests/e2e/test_keys.py",
    "keys rotate": "tests/e2e/test_keys.py",
    "keys rotate --overlap": "tests/e2e/test_keys.py",
    "site status": "tests/integration/cluster/test_second_site.py",
    "site promote": "tests/integration/cluster/test_second_site.py",
    "backup restore": "tests/chaos/test_drills.py",
    "backup restore --from PLACE": "tests/chaos/test_drills.py",
    "backup restore --from PLACE --backup ID": "tests/chaos/test_drills.py",
}


def commands() -> set[str]:
    """All of the runbooks, but for drills, which are tests themselves."""
    found = {
        command for page in RUNBOOKS.rglob("*.md") for command in COMMAND.findall(page.read_text("utf-8"))
    }
    return {command for command in found if not command.startswith("drill ")}


@dataclass
class Operator:
    """Who follows a runbook, and what was run so far."""

    cluster: Cluster
    place: str
    done: set[str] = field(default_factory=set)

    def run(self, command: str, **values: str) -> str:
        """Run a command as a page has it, with values in place of its words in capitals."""
        assert command in commands(), f"no runbook says `optionchain {command}`"
        words = [values.get(word, word) for word in command.split()]
        done = self.call(*words)
        assert done.exit_code == 0, (command, done.output, done.exception)
        self.done.add(command)
        return done.output

    def call(self, *words: str) -> Result:
        """In this process, for many processes take their time."""
        environment = self.cluster.environment(OCS_BACKUP_TO=self.place, COLUMNS="200")
        return CliRunner().invoke(app, [*words, "--data", str(self.cluster.folder)], env=environment)


def test_the_commands_of_runbooks_do_what_they_say(
    cluster: Cluster, api: httpx.Client, tmp_path: Path
) -> None:
    place = str(tmp_path)
    operator = Operator(cluster, place)
    session = create(api)["id"]

    operator.run("backup create --to PLACE", PLACE=place)
    operator.run("backup create --full")
    backup, _ = Place(place, "from").complete()
    assert backup in operator.run("backup list --from PLACE", PLACE=place)
    assert "comes back" in operator.run("backup verify --from PLACE --backup ID", PLACE=place, ID=backup)
    operator.run("backup verify")
    operator.run("backup verify --from PLACE", PLACE=place)
    now = datetime.now(UTC).isoformat()
    told = operator.run(
        "backup restore --from PLACE --owner OWNER --as-of TIME --dry-run",
        PLACE=place,
        OWNER=api.get("/api/v1/caller").json()["tenant"],
        TIME=now,
    )
    assert "sessions" in told
    api.request("DELETE", "/api/v1/chain", params={"sessionid": session}).raise_for_status()
    operator.run("backup restore --from PLACE --missing", PLACE=place)
    assert api.get("/api/v1/chain", params={"sessionid": session}).status_code == httpx.codes.OK
    operator.run("backup prune")

    operator.run("keys create OWNER --role ROLE", OWNER="anna", ROLE="viewer")
    (key,) = [each for each in api.get("/api/v1/keys").json()["data"] if each["owner"] == "anna"]
    assert key["id"] in operator.run("keys list")
    operator.run("keys revoke ID", ID=key["id"])

    body = {"kind": "session_cleanup", "timing": {"every_seconds": 3600}}
    task = api.post("/api/v1/tasks", json=body).json()["id"]
    run = api.post(f"/api/v1/tasks/{task}/run").json()["id"]
    assert task in operator.run("tasks list")
    assert run[:8] in operator.run("tasks runs ID", ID=task)
    operator.run("tasks cancel ID", ID=task)
    # It did not fail: that it is refused for this says that the command is there.
    refused = operator.call("tasks", "requeue", task, run)
    assert "was cancelled" in str(refused.exception)
    operator.done.add("tasks requeue ID RUN")

    assert "sessions-0" in operator.run("status")
    operator.run("rebalance")
    operator.run("doctor")
    operator.run("demo")
    assert commands() - operator.done == ELSEWHERE.keys()


def test_what_is_run_elsewhere_is_a_test() -> None:
    assert all((ROOT / test).exists() for test in ELSEWHERE.values())
