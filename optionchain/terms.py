"""The terms of an option contract, declared once: when it can be exercised, what that brings, and of how much.

Only `exercise` changes a price. The others say what the contract is: whoever leaves them out has said nothing, and sees
nothing of them.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

from optionchain.declarations import Choice, Number, Omission, Text
from optionchain.errors import InvalidInput

Exercise: TypeAlias = Literal["european", "american"]
EXERCISES: tuple[Exercise, ...] = get_args(Exercise)
Settlement: TypeAlias = Literal["cash", "physical"]
SETTLEMENTS: tuple[Settlement, ...] = get_args(Settlement)
MAX_MULTIPLIER = 1e9

_UNSAID = Omission("leaves it unsaid", is_silent=True)

ExerciseTerm: TypeAlias = Annotated[
    Exercise,
    Choice("When options can be exercised: at expiration, or at any time before it", EXERCISES),
    Omission(is_silent=True),
]
SettlementTerm: TypeAlias = Annotated[
    Settlement | None, Choice("What exercise brings: money, or the underlying", SETTLEMENTS), _UNSAID
]
MultiplierTerm: TypeAlias = Annotated[
    float | None,
    Number(
        "Units of the underlying that a contract is on; quotes are of one unit",
        high=MAX_MULTIPLIER,
        above=True,
    ),
    _UNSAID,
]
CurrencyTerm: TypeAlias = Annotated[
    str | None, Text("Currency of all prices, a code of ISO 4217", 3, example="USD"), _UNSAID
]


def checked_exercise(exercise: Exercise) -> Exercise:
    """Return it.

    Raises:
        InvalidInput: It is none.
    """
    if exercise not in EXERCISES:
        raise InvalidInput("exercise", f"must be {' or '.join(EXERCISES)}")
    return exercise
