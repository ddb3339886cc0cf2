"""The door through which parts come that are known by name: market models, smiles, term structures, spread models.

A part is a frozen dataclass whose fields are declared (see `optionchain.declared.fields`). It is known once its class
is decorated, or once an installed distribution names it as an entry point; from then on JSON, schemas, sweeps and YAML
know it. Ours come through the same door::

    [project.entry-points."optionchain.market_models"]
    regimes = "my_package.regimes"
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from threading import RLock
from typing import Any, Generic, TypeVar, cast, overload

from optionchain.declared.fields import Parameter, called, declared, defaults
from optionchain.errors import InvalidInput

P = TypeVar("P")
T = TypeVar("T", bound=type)

_LONGEST_NAME = 64


class Parts(Mapping[str, type[P]], Generic[P]):
    """The classes of one kind of part, by name, in the order in which they became known.

    Args:
        kind: In words, for messages: ``model``.
        group: Of the entry points. Each names a module that decorates classes, or such a class.
    """

    def __init__(self, kind: str, group: str) -> None:
        self.kind = kind
        self.group = group
        self._known: dict[str, type[P]] = {}
        self._is_loaded = False
        self._loading = RLock()

    @overload
    def register(self, part: T) -> T: ...
    @overload
    def register(self, part: None = None, *, name: str) -> Callable[[T], T]: ...
    def register(self, part: T | None = None, *, name: str | None = None) -> T | Callable[[T], T]:
        """Decorate a class to make it known, by its own name or by the given one.

        Raises:
            TypeError: It is no dataclass, or another class has the name.
        """

        def known(decorated: T) -> T:
            called = name or decorated.__name__
            other = self._known.get(called)
            if other is not None and other.__qualname__ != decorated.__qualname__:
                raise TypeError(f"another {self.kind} is called {called}: {other.__module__}")
            if not is_dataclass(decorated):
                raise TypeError(f"{called} must be a dataclass, whose fields are its parameters")
            self._known[called] = decorated  # type: ignore[assignment]  # that it is of the kind, its methods say
            return decorated

        return known if part is None else known(part)

    def __getitem__(self, name: str) -> type[P]:
        if name not in self._known:
            self._load()
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(self._known)

    def __len__(self) -> int:
        self._load()
        return len(self._known)

    def forget(self, name: str) -> None:
        """Undo a registration, of a part that was only tried."""
        self._known.pop(name, None)

    def name_of(self, part: P) -> str:
        """What a part is called.

        Raises:
            InvalidInput: Its class is not known by a name, so that no other process could make it.
        """
        for name, known in self._known.items():
            if known is type(part):
                return name
        raise InvalidInput(
            "", f"{type(part).__name__} is no {self.kind} that is known by a name: decorate it"
        )

    def from_wire(
        self,
        wire: object,
        field: str,
        *,
        ignores_unknown: bool = False,
        known: Mapping[str, object] | None = None,
    ) -> P:
        """Read ``{"name": {"parameter": ...}}``.

        Args:
            wire: Parsed JSON.
            field: Path of `wire` in the caller's input, for errors.
            ignores_unknown: Whether parameters that there are not are passed over.
            known: Values of parameters where the JSON has none.

        Raises:
            InvalidInput: It is no known part, or a parameter is missing or not allowed; the error names its path.
        """
        if not isinstance(wire, Mapping) or len(wire) != 1:
            raise InvalidInput(field, f"must be an object with one key, the name of the {self.kind}")
        name, given = next(iter(wire.items()))
        if not isinstance(name, str) or name not in self:
            shown = str(name)[:_LONGEST_NAME]
            raise InvalidInput(field, f"unknown {self.kind} {shown}: one of {', '.join(self)}")
        try:
            return self._made(self[name], given, ignores_unknown, known or {})
        except InvalidInput as error:
            raise error.under(f"{field}.{name}") from None

    def to_wire(self, part: P) -> dict[str, dict[str, object]]:
        """The JSON from which `from_wire` makes the same part; absent parameters are None."""
        kind: Any = type(part)
        values = ((name, parameter, getattr(part, name)) for name, parameter in declared(kind).items())
        body = {
            called(name, each): None if value is None else each.to_wire(value) for name, each, value in values
        }
        return {self.name_of(part): body}

    def schema(self, *, optional: frozenset[str] = frozenset()) -> dict[str, Any]:
        """JSON schema (2020-12) of what `from_wire` reads.

        Args:
            optional: Parameters that need not be given, because somebody else knows them.
        """
        return {"oneOf": [_tagged_schema(name, part, optional) for name, part in self.items()]}

    def _made(self, part: type[P], given: object, ignores_unknown: bool, known: Mapping[str, object]) -> P:
        if not isinstance(given, Mapping):
            raise InvalidInput("", f"must be an object with the {self.kind}'s parameters")
        parameters: dict[str, Parameter] = declared(cast("Any", part))
        names = {called(name, parameter): name for name, parameter in parameters.items()}
        for name in given:
            if name not in names and not ignores_unknown:
                raise InvalidInput(str(name)[:_LONGEST_NAME], "is not a known key")
        lacking = {name: value for name, value in known.items() if given.get(name) is None}
        values = {names[name]: value for name, value in {**given, **lacking}.items() if name in names}
        for name in required(part):
            if name not in values:
                raise InvalidInput(called(name, parameters[name]), "is required")
        return part(**values)

    def _load(self) -> None:
        """Import what installed distributions name as entry points of this group, once."""
        with self._loading:
            if self._is_loaded:
                return
            for point in importlib.metadata.entry_points(group=self.group):
                try:
                    point.load()
                except Exception as error:
                    reason = f"the entry point {point.name} of {self.group} cannot be loaded: {error}"
                    raise InvalidInput(self.kind, reason) from error
            self._is_loaded = True


class Part(Parameter, Generic[P]):
    """A declared parameter whose value is a part: an instance in Python, ``{"name": {...}}`` in JSON.

    Args:
        about: Meaning, for the schema.
        parts: Those that are known.
    """

    def __init__(self, about: str, parts: Parts[P]) -> None:
        self.about = about
        self.parts = parts

    def check(self, field: str, value: object) -> object:
        if isinstance(value, Mapping):
            return self.parts.from_wire(value, field)
        if not is_dataclass(value) or type(value) not in self.parts.values():
            raise InvalidInput(field, f"must be a {self.parts.kind}: one of {', '.join(self.parts)}")
        return value

    def to_wire(self, value: P) -> object:
        return self.parts.to_wire(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "object", **self.parts.schema(), "description": self.about}


def required(part: type[Any]) -> tuple[str, ...]:
    """The parameters without a default; the others may be absent or None."""
    kind: Any = part
    return tuple(name for name in declared(kind) if name not in defaults(kind))


def _tagged_schema(name: str, part: type, optional: frozenset[str]) -> dict[str, Any]:
    parameters = {
        called(field, parameter): parameter
        for field, parameter in declared(part).items()
        if not getattr(parameter, "is_internal", False)
    }
    needed = [called(field, declared(part)[field]) for field in required(part) if field not in optional]
    properties = {
        field: parameter.schema() if field in needed else _nullable(parameter.schema())
        for field, parameter in parameters.items()
    }
    body = {"type": "object", "properties": properties, "required": needed}
    about = (part.__doc__ or name).partition("\n")[0]
    return {
        "type": "object",
        "title": name,
        "description": about,
        "properties": {name: body},
        "required": [name],
        "additionalProperties": False,
    }


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return schema | {"type": [schema["type"], "null"], "default": None}
