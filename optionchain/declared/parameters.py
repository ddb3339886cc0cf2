"""What `SimulationParameters` declares, read once: for requests, answers, checkpoints, the configuration and sweeps."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, get_args, get_type_hints

from optionchain.declared.fields import Choice, Days, Number, Omission, Pairs, Text, Whole, declared, defaults
from optionchain.declared.parts import Part
from optionchain.market import MatrixParameter, UnderlyingsParameter
from optionchain.parameters import SimulationParameters


@dataclass(frozen=True, slots=True)
class Declared:
    """A parameter as it is declared in `SimulationParameters`; the JSON value is its own, or describes a part.

    Attributes:
        name: Of the field.
        kind: ``int``, ``float``, ``str`` or ``list``; ``dict`` of what JSON describes by a name and parameters.
        parameter: What it allows.
        default: In Python; None where there is none, or where None is it.
        omission: What a request that leaves it out gets; None where it may not.
    """

    name: str
    kind: type
    parameter: (
        Number | Whole | Text | Choice | Pairs | Days | MatrixParameter | UnderlyingsParameter | Part[Any]
    )
    default: Any
    omission: Omission | None

    @property
    def is_silent(self) -> bool:
        """Whether it is not shown where it has the default."""
        return self.omission is not None and self.omission.is_silent

    @property
    def if_null(self) -> str | None:
        """What null asks for, for people; None where it may not be sent."""
        if self.omission is None:
            return None
        return f"null {self.omission.means or f'means {self.default}'}"

    @property
    def about(self) -> str:
        """Meaning, unit, and what null asks for, for people."""
        return self.parameter.about if self.if_null is None else f"{self.parameter.about}; {self.if_null}"


_KIND_OF = {
    Number: float,
    Whole: int,
    Text: str,
    Choice: str,
    Pairs: list,
    Days: list,
    Part: dict,
    MatrixParameter: list,
    UnderlyingsParameter: list,
}


@cache
def declared_parameters() -> dict[str, Declared]:
    """The parameters that are declared, by name, in their order."""
    hints = get_type_hints(SimulationParameters, include_extras=True)
    of_python = defaults(SimulationParameters)
    found = {}
    for name, parameter in declared(SimulationParameters).items():
        if not isinstance(
            parameter,
            Number | Whole | Text | Choice | Pairs | Days | MatrixParameter | UnderlyingsParameter | Part,
        ):
            raise TypeError(
                f"{name}: JSON knows numbers, texts, pairs and rows of them, parts and underlyings"
            )
        notes = [note for note in get_args(hints[name]) if isinstance(note, Omission)]
        kind = _KIND_OF[type(parameter)]
        found[name] = Declared(name, kind, parameter, of_python.get(name), notes[0] if notes else None)
    return found


def terms_of(parameters: SimulationParameters) -> dict[str, Any]:
    """The terms of a contract that are not the default, by name: what files and answers say of them."""
    return {
        each.name: value
        for each in declared_parameters().values()
        if each.is_silent and (value := getattr(parameters, each.name)) != each.default
    }


def configurable_defaults() -> dict[str, Any]:
    """What the configuration `simulator` may change, and what it is where none says anything."""
    return {
        each.name: each.default
        for each in declared_parameters().values()
        if each.omission is not None and each.omission.is_configurable
    }


def varying_names() -> frozenset[str]:
    """The fields that may differ between the scenarios of a sweep, besides those of the market model."""
    return frozenset(each.name for each in fields(SimulationParameters)) - {"expirations", "path", "numerics"}
