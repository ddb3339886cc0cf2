"""The tree of errors, and how each one is answered over HTTP."""

from __future__ import annotations

import json
import pickle

import pytest

from actors.delivery import ActorLost
from actors.loop_watch import LoopHeld
from optionchain import errors
from optionchain.access.quotas import Quota, QuotaFull, QuotaUsedUp
from optionchain.errors import OptionChainError
from optionchain.expirations.exchanges import CalendarMissing
from optionchain.ports import KeyReused
from serve_app.edge import errors as edge_errors
from serve_app.edge.answers import STATUS_OF, error_response, status_of

EXAMPLES: tuple[OptionChainError, ...] = (
    errors.InvalidInput("method.Heston.rho", "must be between -1 and 1"),
    edge_errors.Unauthenticated("the API key is not known"),
    edge_errors.Forbidden("this needs the key of an administrator"),
    errors.NotFound("session", "s1"),
    errors.Conflict("session", "s1"),
    errors.Completed("s1", 30),
    errors.PreconditionFailed(7),
    KeyReused(),
    edge_errors.UnknownPath("/api/v1/config"),
    edge_errors.WrongMethod(["GET", "PUT"]),
    edge_errors.TooLarge(4096),
    edge_errors.TooSlow(60.0),
    edge_errors.Stalled(30.0),
    edge_errors.RateLimited(2.5),
    errors.Unavailable("the session store", 3.0),
    errors.Overloaded("the session actor"),
    errors.NoRoom("the session store"),
    errors.CannotOpen("it was changed, or belongs elsewhere"),
    errors.Damaged("the manifest", "it is cut off"),
    errors.Defect(),
    ActorLost("the session actor"),
    CalendarMissing("XTAE"),
    LoopHeld(0.25),
    errors.NotOver("sweep", "w1"),
    errors.HasFailed("sweep", "w1"),
    errors.LeaseLost("sweep", "w1"),
    errors.WrongState("task", "t1", "is cancelled"),
    QuotaUsedUp(Quota.CONTRACTS, 1_000, 0.2),
    QuotaFull(Quota.SESSIONS, 10, "delete one"),
)
RETRYABLE = (
    errors.Conflict,
    edge_errors.RateLimited,
    errors.Unavailable,
    errors.Overloaded,
    errors.NoRoom,
    ActorLost,
    CalendarMissing,
    LoopHeld,
    edge_errors.TooSlow,
    errors.NotOver,
    QuotaUsedUp,
)


def subclasses(kind: type[OptionChainError]) -> set[type[OptionChainError]]:
    return {kind}.union(*(subclasses(below) for below in kind.__subclasses__()))


def named(error: OptionChainError) -> str:
    return type(error).__name__


def test_every_error_is_among_the_examples() -> None:
    ours = {
        kind
        for kind in subclasses(OptionChainError)
        if kind.__module__.partition(".")[0] in ("optionchain", "actors", "adapters", "cluster", "serve_app")
    }

    assert {type(error) for error in EXAMPLES} >= ours - {OptionChainError}


@pytest.mark.parametrize("error", EXAMPLES, ids=named)
def test_an_error_survives_pickling(error: OptionChainError) -> None:
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is type(error)
    assert (str(copy), copy.args, vars(copy)) == (str(error), error.args, vars(error))


@pytest.mark.parametrize("error", EXAMPLES, ids=named)
def test_an_error_says_whether_retrying_helps(error: OptionChainError) -> None:
    assert error.retryable is (type(error) in RETRYABLE)


def test_every_error_of_the_domain_and_of_the_edge_has_a_status() -> None:
    homes = (errors.__name__, KeyReused.__module__, QuotaFull.__module__, edge_errors.__name__)
    ours = {kind for kind in subclasses(OptionChainError) if kind.__module__ in homes}

    assert set(STATUS_OF) == ours - {OptionChainError}


def test_every_error_is_drawn_in_the_tree() -> None:
    drawn = str(errors.__doc__)

    assert [kind.__name__ for kind in STATUS_OF if f"── {kind.__name__} " not in drawn] == []


def test_an_error_that_is_not_in_the_table_has_the_status_of_its_nearest_ancestor() -> None:
    assert status_of(ActorLost("the session actor")) == 503
    assert status_of(OptionChainError("?")) == 500


@pytest.mark.parametrize("error", EXAMPLES, ids=named)
def test_every_answer_is_json_with_an_error_text(error: OptionChainError) -> None:
    answer = error_response(error)

    assert answer.status_code == status_of(error)
    assert str(error) in json.loads(answer.body)["error"]


@pytest.mark.parametrize("error", EXAMPLES, ids=named)
def test_retry_after_comes_with_429_and_503_and_with_nothing_else(error: OptionChainError) -> None:
    answer = error_response(error)

    assert ("Retry-After" in answer.headers) is (answer.status_code in (429, 503))


def test_retry_after_is_in_whole_seconds_rounded_up() -> None:
    assert error_response(edge_errors.RateLimited(2.5)).headers["Retry-After"] == "3"
    assert error_response(edge_errors.RateLimited(0.0)).headers["Retry-After"] == "1"


def test_invalid_input_names_the_field_in_the_words_of_the_caller() -> None:
    error = errors.InvalidInput("rho", "must be between -1 and 1").under("Heston").under("method")

    assert error.field == "method.Heston.rho"
    assert json.loads(error_response(error).body) == {
        "error": "Validation Error: method.Heston.rho: must be between -1 and 1",
        "field": "method.Heston.rho",
    }


def test_a_failed_precondition_tells_the_cursor() -> None:
    assert json.loads(error_response(errors.PreconditionFailed(7)).body)["current_step"] == 7


def test_a_missing_key_is_answered_with_a_challenge() -> None:
    assert error_response(edge_errors.Unauthenticated("?")).headers["WWW-Authenticate"].startswith("Basic ")


def test_a_defect_tells_nothing_but_that_there_is_one() -> None:
    assert json.loads(error_response(errors.Defect()).body) == {"error": "Internal server error"}
