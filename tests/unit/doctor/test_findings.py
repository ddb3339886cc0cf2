"""What `optionchain doctor` says of servers and machines that are as they should be, and of others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from adapters.mongo.members import Member
from adapters.server_facts import MongoFacts, RedisFacts
from adapters.settings import RedisSettings
from cluster.certificate_files import certificate_files
from cluster.doctor.finding import Finding, Grade
from cluster.doctor.machine import certificate_findings, machine_findings
from cluster.doctor.servers import mongo_findings, redis_findings
from cluster.instance.node_variables import EVERY_NODE, IN_COMPANY, node_variables
from cluster.settings import Settings

REDIS = RedisFacts(seconds=0.001, skew_seconds=0.0, is_on_disk=True, eviction="noeviction", replicas=1)
MONGO = MongoFacts(seconds=0.001, skew_seconds=0.0, replica_set="rs0", members=3)
COPY = Member("mongo.second:27017", is_hidden=True, votes=False, is_there=True, seconds_behind=0.4)


def of_redis(wait_replicas: int = 1, **changes: object) -> list[Finding]:
    facts = replace(REDIS, **changes)  # type: ignore[arg-type]
    return list(redis_findings(facts, RedisSettings(wait_replicas=wait_replicas)))


def not_good(findings: list[Finding]) -> list[Finding]:
    assert all(bool(each.remedy) == (each.grade is not Grade.GOOD) for each in findings)
    return [each for each in findings if each.grade is not Grade.GOOD]


def test_servers_as_they_should_be_are_good() -> None:
    assert not_good(of_redis()) == []
    assert not_good(list(mongo_findings(MONGO, is_private=False))) == []


@pytest.mark.parametrize(
    ("changes", "what", "grade"),
    [
        ({"is_on_disk": False}, "Redis: disk", Grade.BAD),
        ({"eviction": "allkeys-lru"}, "Redis: when full", Grade.BAD),
        ({"replicas": 0}, "Redis: replicas", Grade.BAD),
        ({"seconds": 0.1}, "Redis: answer", Grade.DOUBTFUL),
        ({"skew_seconds": -4.0}, "Redis: clock", Grade.DOUBTFUL),
    ],
)
def test_what_is_wrong_with_a_redis_is_told(changes: dict[str, object], what: str, grade: Grade) -> None:
    (found,) = not_good(of_redis(**changes))

    assert (found.what, found.grade) == (what, grade)


def test_a_redis_alone_is_good_where_no_replica_is_waited_for() -> None:
    assert not_good(of_redis(wait_replicas=0, replicas=0)) == []


def test_a_mongodb_by_itself_is_doubtful_unless_it_is_ours() -> None:
    alone = replace(MONGO, replica_set=None, members=0)

    (found,) = not_good(list(mongo_findings(alone, is_private=False)))

    assert (found.what, found.grade) == ("MongoDB: replica set", Grade.DOUBTFUL)
    assert not_good(list(mongo_findings(alone, is_private=True))) == []


@pytest.mark.parametrize(
    ("changes", "what", "told"),
    [
        ({"is_journaled": False}, "MongoDB: write concern", "a majority, in memory"),
        ({"unindexed": ("audit", "sweeps")}, "MongoDB: indexes", "audit, sweeps: not unique"),
    ],
)
def test_a_mongodb_that_could_forget_or_take_something_twice_is_bad(
    changes: dict[str, object], what: str, told: str
) -> None:
    facts = replace(MONGO, **changes)  # type: ignore[arg-type]

    (found,) = not_good(list(mongo_findings(facts, is_private=False)))

    assert (found.what, found.grade, found.told) == (what, Grade.BAD, told)


@pytest.mark.parametrize(
    ("member", "grade", "told"),
    [
        (COPY, Grade.GOOD, "0.4 s behind"),
        (replace(COPY, seconds_behind=6.0), Grade.DOUBTFUL, "6.0 s behind"),
        (replace(COPY, is_there=False, seconds_behind=2.0), Grade.BAD, "not heard of for 2.0 s"),
        (replace(COPY, votes=True), Grade.DOUBTFUL, "0.4 s behind, and votes"),
    ],
    ids=["as it should be", "far behind", "away", "votes"],
)
def test_a_hidden_member_has_to_be_there_close_and_without_a_vote(
    member: Member, grade: Grade, told: str
) -> None:
    findings = list(mongo_findings(replace(MONGO, hidden=(member,)), is_private=False))

    (found,) = [each for each in findings if each.what == "MongoDB: hidden member mongo.second:27017"]
    assert (found.grade, found.told) == (grade, told)
    assert not_good(findings) == [found] * (grade is not Grade.GOOD)


def test_a_mode_that_the_set_does_not_have_is_bad() -> None:
    (found,) = not_good(list(mongo_findings(replace(MONGO, unknown_mode="bothSites"), is_private=False)))

    assert (found.what, found.grade) == ("MongoDB: w=bothSites", Grade.BAD)


def test_nothing_is_said_of_a_write_concern_that_we_may_not_ask_for() -> None:
    told = {each.what for each in mongo_findings(MONGO, is_private=False)}
    known = {each.what for each in mongo_findings(replace(MONGO, is_journaled=True), is_private=False)}

    assert known - told == {"MongoDB: write concern"}


def test_a_node_that_lacks_a_variable_is_named(tmp_path: Path) -> None:
    variables = node_variables(EVERY_NODE)
    settings = Settings(data={"folder": tmp_path})
    without = {name: value for name, value in variables.items() if name != "RAY_AUTH_MODE"}

    whole = {each.what: each for each in machine_findings(settings, variables)}
    lacking = {each.what: each for each in machine_findings(settings, without)}

    assert whole["variables of Ray"].grade is Grade.GOOD
    assert lacking["variables of Ray"].grade is Grade.BAD
    assert lacking["variables of Ray"].told.startswith("RAY_AUTH_MODE: ")


def test_a_node_of_several_needs_what_nodes_in_company_have(tmp_path: Path) -> None:
    settings = Settings(data={"folder": tmp_path})

    def found(*files: str) -> Finding:
        findings = machine_findings(settings, node_variables(*files), is_in_company=True)
        [finding] = [each for each in findings if each.what == "variables of Ray"]
        return finding

    assert found(EVERY_NODE, IN_COMPANY).grade is Grade.GOOD
    assert "RAY_health_check_period_ms" in found(EVERY_NODE).told


def test_a_small_machine_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("cluster.doctor.machine.cores", lambda: 1)
    monkeypatch.setattr("cluster.doctor.machine.LEAST_DISK_BYTES", 1 << 60)
    monkeypatch.setattr("cluster.doctor.machine.resource.getrlimit", lambda _: (256, 1024))

    settings = Settings(data={"folder": tmp_path})
    found = {each.what: each.grade for each in not_good(list(machine_findings(settings, {})))}

    assert found["cores"] is Grade.DOUBTFUL
    assert found["disk"] is Grade.BAD
    assert found["open files"] is Grade.BAD


def test_a_certificate_is_bad_when_it_has_expired_and_doubtful_two_weeks_before(tmp_path: Path) -> None:
    certificate, ends = tmp_path / "tls.crt", datetime(2027, 3, 1, tzinfo=UTC)
    trustme.CA().issue_cert("ocs.example", not_after=ends).cert_chain_pems[0].write_to_path(certificate)

    def found(days_before: float) -> Finding:
        [finding] = certificate_findings({"http": certificate}, ends - timedelta(days=days_before))
        return finding

    assert (found(15).grade, found(15).what, found(15).told) == (
        Grade.GOOD,
        "certificate: http",
        "15 days left, until 2027-03-01",
    )
    assert (found(13).grade, found(-1).grade) == (Grade.DOUBTFUL, Grade.BAD)
    assert found(-1).told == "expired on 2027-03-01"


def test_a_certificate_that_cannot_be_read_is_bad(tmp_path: Path) -> None:
    [finding] = certificate_findings({"redis": tmp_path / "none.pem"}, datetime.now(UTC))

    assert (finding.grade, finding.what) == (Grade.BAD, "certificate: redis")


def test_certificates_are_found_where_the_settings_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USE_TLS", "1")
    monkeypatch.setenv("RAY_TLS_SERVER_CERT", "/etc/ray/tls.crt")
    settings = Settings(
        redis={"url": "rediss://h:1/0?ssl_ca_certs=/a/ca.pem&ssl_certfile=/a/client.pem"},
        mongo={"uri": "mongodb://h/?tls=true&tlsCertificateKeyFile=/b/both.pem"},
    )

    found = {line: str(file) for line, file in certificate_files(settings).items()}

    assert found == {"redis": "/a/client.pem", "mongodb": "/b/both.pem", "ray": "/etc/ray/tls.crt"}
