"""People who sign in with an issuer of tokens, on an instance as it is started, with two replicas and quotas."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.clusters import PARAMETERS, Cluster, create
from tests.issuers import US, Issuer, issuing
from tests.waiting import eventually

PROMISED_SECONDS = 1.0
# So that each of two replicas is asked, whoever HAProxy sends a connection to.
OFTEN = 12
SESSIONS = "/api/v1/chain/sessions"
pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    with issuing(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def company(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """An instance whose callers sign in with the issuer; their tenant is whatever the token says."""
    cluster = Cluster(
        tmp_path_factory.mktemp("company") / "data",
        auth={"oidc_issuer": issuer.url, "oidc_audience": US, "oidc_tenant_claim": "desk"},
        http={"replicas": 2},
        quota={"enabled": True},
    )
    with cluster.running():
        yield cluster


def caller(cluster: Cluster, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=cluster.state.base_url,
        headers={"Authorization": f"Bearer {token}", "Connection": "close"},
        timeout=30.0,
        trust_env=False,
    )


def statuses(cluster: Cluster, token: str) -> set[int]:
    with caller(cluster, token) as somebody:
        return {somebody.get(SESSIONS).status_code for _ in range(OFTEN)}


def test_two_desks_see_nothing_of_each_other_and_may_do_what_their_roles_may(
    company: Cluster, issuer: Issuer
) -> None:
    anna = issuer.signed_in("anna", desk="rates", roles=["trader"])
    ben = issuer.signed_in("ben", desk="equities", roles=["trader"])
    eve = issuer.signed_in("eve", desk="rates", roles=["viewer"])

    with caller(company, anna) as hers, caller(company, ben) as his, caller(company, eve) as looks:
        session = create(hers)["id"]
        assert hers.get("/api/v1/chain", params={"sessionid": session}).status_code == 200
        assert looks.get("/api/v1/chain", params={"sessionid": session}).status_code == 200
        assert looks.post("/api/v1/chain/step", params={"sessionid": session}).status_code == 403
        assert his.get("/api/v1/chain", params={"sessionid": session}).status_code == 404
        assert [each["id"] for each in hers.get(SESSIONS).json()["data"]] == [session]
        assert his.get(SESSIONS).json()["data"] == []


def test_a_tenant_of_an_issuer_has_quotas_as_one_with_keys_has(company: Cluster, issuer: Issuer) -> None:
    carl = issuer.signed_in("carl", desk="credit", roles=["trader"])
    with company.client() as admin:
        set_to = admin.put("/api/v1/quotas/credit", json={"sessions": 1})
        assert set_to.status_code == 200, set_to.text

    with caller(company, carl) as his:
        create(his)
        refused = his.post("/api/v1/chain", json=PARAMETERS)

    assert (refused.status_code, refused.json()["quota"]) == (403, "sessions")


def test_a_token_for_others_and_one_without_a_desk_are_nobodys(company: Cluster, issuer: Issuer) -> None:
    stolen = issuer.signed_in("anna", client_id="another", desk="rates", roles=["admin"])
    homeless = issuer.signed_in("zoe", roles=["admin"])

    assert statuses(company, stolen) == {401}
    assert statuses(company, homeless) == {401}


def test_a_subject_is_cut_off_at_every_replica_within_a_second(company: Cluster, issuer: Issuer) -> None:
    token = issuer.signed_in("mallory", desk="rates", roles=["trader"])
    assert statuses(company, token) == {200}

    with company.client() as admin:
        denied = admin.post("/api/v1/denied-tokens", json={"kind": "subject", "value": "mallory"})
        assert denied.status_code == 201, denied.text
    began = time.monotonic()
    eventually(lambda: statuses(company, token) == {401}, "no replica accepts it")

    # The last look takes its own time, of which the promise says nothing.
    assert time.monotonic() - began < PROMISED_SECONDS + OFTEN * 0.1


def test_while_the_issuer_is_silent_its_keys_are_known(company: Cluster, issuer: Issuer) -> None:
    known = issuer.signed_in("anna", desk="rates", roles=["viewer"])
    fresh = issuer.signed_in("dora", desk="rates", roles=["viewer"])
    assert statuses(company, known) == {200}

    issuer.process.suspend()
    try:
        # One that no replica has seen: verified by the keys that they have.
        assert statuses(company, fresh) == {200}
        assert statuses(company, known) == {200}
    finally:
        issuer.process.resume()
