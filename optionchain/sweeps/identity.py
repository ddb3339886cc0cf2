"""What a value is, for the identity of a sweep: a digest that follows everything a measure refers to.

A measure is followed by value: its source, what it closes over, and the functions, constants and classes of its own
modules that it uses, however deep. What comes from an installed package, the standard library or this one counts by
its name; the versions of packages are kept beside the digest, for a record to be compared with. What cannot be read
(a lock, an open file) is a doubt: the digest does not know whether it is the same.

`cloudpickle` and `dask.base.tokenize` hash bytecode, which a docstring and each minor version of Python changes.
"""

from __future__ import annotations

import builtins
import functools
import hashlib
import struct
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from importlib import import_module
from itertools import chain
from typing import Any

import numpy as np

from optionchain.sweeps.releases import is_own, package_of, package_version
from optionchain.sweeps.sources import Reference, imports, normal_form, references

_ATOMS = (type(None), type(...), type(NotImplemented), bool, int, float, complex, str, bytes)
# Methods that Python may have made, and of which no number depends.
_MADE = {"__annotate__", "__annotate_func__", "__getstate__", "__replace__", "__repr__", "__setstate__"}


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of a value.

    Attributes:
        digest: 64 hexadecimal digits: the same for the same value, in any process.
        doubts: What of it cannot be told apart from another, in sentences.
        packages: Installed packages that it uses, with their versions.
    """

    digest: str
    doubts: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)


def identified(value: Any) -> Identity:
    """What is known of a value: numbers, texts, containers, arrays, functions, classes and their instances."""
    walk = _Walk()
    walk.add(value)
    return Identity(walk.digest(), tuple(dict.fromkeys(walk.doubts)), dict(sorted(walk.packages.items())))


class _Walk:
    """Goes through a value, each of its parts once."""

    def __init__(self) -> None:
        self.doubts: list[str] = []
        self.packages: dict[str, str] = {}
        self._hash = hashlib.sha256()
        # With the values themselves, so that no other takes their place in memory.
        self._known: dict[int, tuple[str, Any]] = {}
        self._path: tuple[str, ...] = ()

    def digest(self) -> str:
        return self._hash.hexdigest()

    def add(self, value: Any) -> None:
        """Take in a value."""
        if type(value) in _ATOMS:
            self._put(type(value).__name__, repr(value))
        elif isinstance(value, Enum):
            self._put(f"{type(value).__module__}.{type(value).__qualname__}", value.name)
            self.add(value.value)
        elif type(value) in (list, tuple) and _are_numbers(value):
            self._put(f"{type(value).__name__} of {type(value[0]).__name__}", _packed(value))
        elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
            self._put(f"array {value.dtype.str} {value.shape}", value.tobytes())
        else:
            self._put("part", self._part(value))

    def _part(self, value: Any) -> str:
        """The digest of a part; of one that contains itself, how far outside it is."""
        if id(value) in self._known:
            return self._known[id(value)][0]
        self._known[id(value)] = f"within {len(self._path)}", value
        digest = self._apart(self._add_once, value)
        self._known[id(value)] = digest, value
        return digest

    def _apart(self, add: Callable[[Any], None], value: Any) -> str:
        outside, self._hash = self._hash, hashlib.sha256()
        add(value)
        digest, self._hash = self._hash.hexdigest(), outside
        return digest

    def _add_once(self, value: Any) -> None:
        if type(value) in (list, tuple):
            self._put(type(value).__name__, str(len(value)))
            self._add_all(value)
        elif type(value) is dict:
            self._put("dict", str(len(value)))
            self._add_all(chain.from_iterable(value.items()))
        elif type(value) in (set, frozenset):
            self._put(type(value).__name__, "".join(sorted(self._apart(self.add, each) for each in value)))
        elif isinstance(value, types.MethodType):
            self._add_all((value.__func__, value.__self__))
        elif isinstance(value, types.FunctionType):
            self._add_function(value)
        elif isinstance(value, types.ModuleType):
            self._add_module(value)
        elif isinstance(value, type):
            self._add_class(value)
        elif callable(getattr(value, "__wrapped__", None)):  # of a cache, or of a compiler
            self._add_all((type(value), value.__wrapped__))
        elif isinstance(value, types.BuiltinFunctionType | np.ufunc):
            owner = getattr(value, "__self__", None)
            self._name(getattr(value, "__module__", None) or type(value).__module__, value.__name__)
            if owner is not None and not isinstance(owner, types.ModuleType):
                self.add(owner)
        else:
            self._add_instance(value)

    def _add_function(self, function: types.FunctionType) -> None:
        with self._below(function.__name__):
            given = function.__dict__.get("version")
            if given is not None:
                self._put("version", f"{function.__qualname__} {given!r}")
            elif not is_own(function.__module__ or ""):
                self._name(function.__module__, function.__qualname__)
            else:
                self._put("function", normal_form(function))
                self._add_imports(function)
                for reference in references(function.__code__):
                    self._add_reference(function.__globals__, reference)
            self._add_all((function.__defaults__, function.__kwdefaults__))
            cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
            for name, cell in sorted(cells, key=lambda pair: pair[0]):
                self._put("cell", name)
                self.add(_content(cell))
            self.add(sorted((key, value) for key, value in function.__dict__.items() if key != "__wrapped__"))

    def _add_reference(self, names: Mapping[str, Any], reference: Reference) -> None:
        self._put("global", ".".join((reference.name, *reference.attributes)))
        missing = object()
        value, left = names.get(reference.name, missing), list(reference.attributes)
        if value is missing:  # a builtin, or what will be a NameError
            self._put("builtin", str(hasattr(builtins, reference.name)))
            return
        while isinstance(value, types.ModuleType) and is_own(value.__name__) and left:
            value = getattr(value, left.pop(0), missing)
        if value is not missing:
            self.add(value)

    def _add_imports(self, function: types.FunctionType) -> None:
        for each in imports(function.__code__):
            package = function.__globals__.get("__package__") or ""
            name = "." * each.level + each.module
            try:
                module = import_module(name, package)
            except ImportError:
                self._doubt(f"imports {name}, which is not there")
                continue
            if not is_own(module.__name__):
                self._name(module.__name__, "")
            elif not each.names or "*" in each.names:
                self._doubt(
                    f"imports the module {module.__name__} when it is called: import it at the top of yours"
                )
            for taken in each.names if is_own(module.__name__) else ():
                self._add_reference(vars(module), Reference(taken))

    def _add_module(self, module: types.ModuleType) -> None:
        self._name(module.__name__, "")
        if is_own(module.__name__):
            self._doubt(f"uses the module {module.__name__} as a value: use what it has by name")

    def _add_class(self, kind: type) -> None:
        self._name(kind.__module__, kind.__qualname__)
        if not is_own(kind.__module__):
            return
        with self._below(kind.__name__):
            self._add_all(kind.__bases__)
            if "version" in vars(kind):
                self._put("version", repr(vars(kind)["version"]))
                return
            for name, member in sorted(vars(kind).items()):
                if not _is_made(name, member):
                    self._put("member", name)
                    self._add_all(_unwrapped(member))

    def _add_instance(self, value: Any) -> None:
        self.add(type(value))
        if is_dataclass(value):
            self._add_all((each.name, getattr(value, each.name)) for each in fields(value))
            return
        try:
            reduced = value.__reduce_ex__(4)
        except Exception:
            self._doubt(f"uses a {type(value).__module__}.{type(value).__qualname__}, which cannot be read")
            return
        if isinstance(reduced, str):
            self._name(type(value).__module__, reduced)
            return
        for part in reduced:
            self.add(list(part) if isinstance(part, Iterator) else part)

    def _add_all(self, values: Iterable[Any]) -> None:
        for value in values:
            self.add(value)

    def _name(self, module: str | None, name: str) -> None:
        self._put("name", f"{module or ''}.{name}")
        package = package_of(module or "")
        if package is not None:
            self.packages[package] = package_version(package)

    def _put(self, kind: str, content: str | bytes) -> None:
        encoded = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        self._hash.update(b"%s %d\n" % (kind.encode(), len(encoded)))
        self._hash.update(encoded)

    def _doubt(self, what: str) -> None:
        self._put("doubt", what)
        self.doubts.append(f"{'.'.join(self._path) or 'it'} {what}")

    @contextmanager
    def _below(self, name: str) -> Iterator[None]:
        self._path, path = (*self._path, name), self._path
        yield
        self._path = path


def _is_made(name: str, member: Any) -> bool:
    """Whether Python has put it into a class, or a decorator has made it of the fields, so that it says no more."""
    if name.startswith("__") and not isinstance(
        member, types.FunctionType | classmethod | staticmethod | property
    ):
        return True  # `__slotnames__` even comes with the first copy of an instance
    if isinstance(member, types.FunctionType) and member.__code__.co_filename.startswith("<string>"):
        return True
    return name in {*_MADE, "_abc_impl"} or isinstance(
        member, types.MemberDescriptorType | types.GetSetDescriptorType
    )


def _unwrapped(member: Any) -> Iterable[Any]:
    """What is behind a descriptor of a class."""
    match member:
        case staticmethod() | classmethod():
            return (member.__func__,)
        case property():
            return member.fget, member.fset, member.fdel
        case functools.cached_property():
            return (member.func,)
    return (member,)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _are_numbers(values: list[Any] | tuple[Any, ...]) -> bool:
    kinds = set(map(type, values))
    return kinds == {float} or (kinds == {int} and all(-(1 << 63) <= value < 1 << 63 for value in values))


def _packed(values: list[Any] | tuple[Any, ...]) -> bytes:
    return struct.pack(f"<{len(values)}{'d' if type(values[0]) is float else 'q'}", *values)
