"""A kind of task: what its parameters are, who may schedule it, and the function that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from cluster.settings import Settings
from cluster.tasks.work import Work
from optionchain.access.roles import Permission
from optionchain.errors import InvalidInput


class TaskParameters(BaseModel):
    """Parameters of a kind: JSON values, no others than are declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def check(self, settings: Settings) -> None:
        """Refuse what cannot be done here.

        Raises:
            InvalidInput: Naming the field.
        """


P = TypeVar("P", bound=TaskParameters)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of task; make one by `kind`.

    Attributes:
        name: As callers write it.
        about: What it does, in a sentence.
        permission: What scheduling it takes.
        parameters: Their model.
        run: Does it, in a thread of a worker; returns JSON values that the owner is shown. None of what an actor does.
    """

    name: str
    about: str
    permission: Permission
    parameters: type[TaskParameters]
    run: Callable[[Work, Any], Mapping[str, Any]] | None

    def read(self, wire: object, settings: Settings) -> TaskParameters:
        """The parameters that a caller gives.

        Raises:
            InvalidInput: ``parameters`` and below.
        """
        if not isinstance(wire, Mapping):
            raise InvalidInput("parameters", "must be an object")
        try:
            parameters = self.parameters.model_validate(dict(wire))
            parameters.check(settings)
        except ValidationError as error:
            raise _refusal(error).under("parameters") from None
        except InvalidInput as error:
            raise error.under("parameters") from None
        return parameters


def kind(
    name: str,
    about: str,
    parameters: type[P],
    run: Callable[[Work, P], Mapping[str, Any]] | None,
    *,
    permission: Permission,
) -> Kind:
    """A kind whose function takes what its model reads."""
    return Kind(name, about, permission, parameters, run)


def _refusal(error: ValidationError) -> InvalidInput:
    problem = error.errors()[0]
    field = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return InvalidInput(field, "is unknown")
    if problem["type"] == "missing":
        return InvalidInput(field, "is required")
    message = problem["msg"].removeprefix("Value error, ")
    return InvalidInput(field, f"{message[:1].lower()}{message[1:]}")
