"""What a request says that is swallowed or contradicts itself: answered all the same, and told.

A `Warning` header (RFC 7234, code 299) and an entry of the answer's ``warnings`` for each. Who asks for strictness
(``Prefer: handling=strict``, RFC 7240, or the setting) gets a 400 for unknown fields instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import orjson
from fastapi import Request, Response
from pydantic import BaseModel

from optionchain.agreement import Disagreement, disagreements_between
from optionchain.declared.spelling import LONGEST_NAME, nearest
from optionchain.errors import InvalidInput
from optionchain.models.model import MARKET_MODELS
from optionchain.models.parameters import parameters_of
from optionchain.models.wire import STEP
from optionchain.time_frame import YEAR, TimeFrame
from serve_app.services import services_of

WARNING = '299 - "{}"'
# What one request can have told of it: an answer does not grow with nonsense.
MOST_NOTICES = 16
_QUOTED = str.maketrans({'"': "?", "\\": "?"})

PREFER: dict[str, Any] = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`handling=strict` refuses unknown fields with 400 instead of a warning",
    "schema": {"type": "string"},
}


def unknown_fields(request: Request, *given: BaseModel) -> list[Disagreement]:
    """What a request names and nobody reads.

    Args:
        request: The request.
        given: Its query and its body, which keep what they do not know.

    Raises:
        InvalidInput: There is something, and the caller or the settings ask for strictness.
    """
    # The rest is not even looked at: what was meant by each of a million names would take minutes.
    notices = list(islice(chain.from_iterable(map(_unknown, given)), MOST_NOTICES))
    if notices and _is_strict(request):
        raise InvalidInput(notices[0].field, notices[0].reason)
    return notices


def told(response: Response, notices: Sequence[Disagreement]) -> Response:
    """An answer that is a JSON object, with what is to be told; without notices the very same."""
    if not notices:
        return response
    warnings = [{"field": notice.field, "warning": notice.reason} for notice in notices]
    response.body = bytes(response.body)[:-1] + b',"warnings":' + orjson.dumps(warnings) + b"}"
    response.headers["content-length"] = str(len(response.body))
    for notice in notices:
        response.headers.append("Warning", WARNING.format(_header_text(f"{notice.field}: {notice.reason}")))
    return response


def disagreements_of(body: BaseModel, answer: bytes | memoryview) -> list[Disagreement]:
    """Where what was asked for does not agree with itself, by the session that came of it.

    Args:
        body: The request.
        answer: The session or the simulation as it is shown.
    """
    shown = orjson.loads(answer)
    parameters = shown["parameters"]
    [(model, method)] = parameters["method"].items()
    return [
        *_other_volatility(body, parameters["volatility"]),
        *disagreements_between(
            model=model,
            dt=method.get(STEP),
            interval_years=_interval_years(parameters),
            steps=parameters["steps"],
            total_steps=shown.get("total_steps", parameters["steps"]),
        ),
    ]


def _other_volatility(body: BaseModel, kept: float) -> Iterator[Disagreement]:
    given = getattr(body, "volatility", None)
    if given is not None and given != kept:
        reason = f"{given} was given, and the method's {kept} prices the chains: that is kept"
        yield Disagreement("volatility", reason)


def _interval_years(parameters: Mapping[str, Any]) -> float:
    seconds = parameters.get("step_interval_seconds")
    if seconds is not None:
        return float(seconds / YEAR.total_seconds())
    return 1.0 / TimeFrame.from_wire(parameters["time_frame"]).periods_per_year


def _unknown(given: BaseModel) -> Iterator[Disagreement]:
    yield from _not_among(given.model_extra or (), type(given).model_fields, "")
    method = getattr(given, "method", None)
    if isinstance(method, Mapping) and len(method) == 1:
        [(name, parameters)] = method.items()
        if name in MARKET_MODELS and isinstance(parameters, Mapping):
            yield from _not_among(parameters, parameters_of(MARKET_MODELS[name]), f"method.{name}.")


def _not_among(names: Iterable[str], known: Collection[str], path: str) -> Iterator[Disagreement]:
    for name in names:
        if name not in known:
            meant = nearest(name, known)
            hint = f": did you mean {meant}?" if meant else ""
            yield Disagreement(path + name[:LONGEST_NAME], f"is not a known field{hint}")


def _is_strict(request: Request) -> bool:
    if services_of(request).is_strict:
        return True
    preferences = ",".join(request.headers.getlist("prefer")).split(",")
    return any(
        each.partition(";")[0].replace('"', "").strip().lower() == "handling=strict" for each in preferences
    )


def _header_text(text: str) -> str:
    """What may stand between the quotes of a header: a name of the caller's may hold anything."""
    return "".join(one if " " <= one <= "~" else "?" for one in text).translate(_QUOTED)
