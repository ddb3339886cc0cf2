"""What a function does, read from its source: a text that docstrings, layout and Python's version do not change.

The bytecode of one Python is not that of the next, so it says little; the syntax tree of the source is nearly the same
in all of them. A file may have changed since it was imported, so a source counts only where it compiles to what runs.
"""

from __future__ import annotations

import ast
import dis
import linecache
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FunctionType
from typing import TypeAlias

# What a tree says of the same source differs between Pythons in these.
_IGNORED = {"ctx", "kind", "type_comment"}
_GLOBAL = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
_ATTRIBUTE = {"LOAD_ATTR", "LOAD_METHOD"}
_DOCUMENTED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A global name that a function uses, with the attributes that it takes of it: ``np.linalg.norm``."""

    name: str
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """A module that a function imports when it is called, and the names that it takes of it; none for all of it."""

    module: str
    level: int
    names: tuple[str, ...] = ()


def normal_form(function: FunctionType) -> str:
    """What a function does.

    Where no source is at hand (a prompt, `exec`), or it is not what runs, its bytecode, which other Pythons do not
    share: then the text names this one.
    """
    code = function.__code__
    lines = _lines(function)
    module = _module(lines, code.co_filename) if lines else None
    node = None if module is None else module.function(code)
    if node is not None:
        return repr(_form(node))
    return repr((sys.version_info[:2], _bytecode(code)))


def references(code: CodeType) -> list[Reference]:
    """The global names that a function uses, and those inside it."""
    found: set[Reference] = set()
    for each in _codes(code):
        name: str | None = None
        attributes: list[str] = []
        for instruction in dis.get_instructions(each):
            if name is not None and instruction.opname in _ATTRIBUTE:
                attributes.append(instruction.argval)
                continue
            if name is not None:
                found.add(Reference(name, tuple(attributes)))
            name, attributes = None, []
            if instruction.opname in _GLOBAL:
                name = instruction.argval
    return sorted(found)


def imports(code: CodeType) -> list[Import]:
    """What a function imports when it is called, and those inside it."""
    found: set[Import] = set()
    for each in _codes(code):
        instructions = list(dis.get_instructions(each))
        for index, instruction in enumerate(instructions):
            if instruction.opname != "IMPORT_NAME":
                continue
            level = instructions[index - 2].argval
            names = instructions[index - 1].argval or ()
            found.add(Import(instruction.argval, level if isinstance(level, int) else 0, tuple(names)))
    return sorted(found)


class _Module:
    """The functions of a source file: their trees, and what they compile to."""

    def __init__(self, text: str, filename: str) -> None:
        tree = ast.parse(text)
        self._nodes: dict[tuple[str, int], list[_Function]] = defaultdict(list)
        for node in ast.walk(tree):
            if isinstance(node, _Function):
                self._nodes[_place(node)].append(node)
        self._codes: dict[tuple[str, int], list[CodeType]] = defaultdict(list)
        for code in _codes(compile(text, filename, "exec", dont_inherit=True)):
            self._codes[code.co_name, code.co_firstlineno].append(code)

    def function(self, code: CodeType) -> _Function | None:
        """The tree of a function that runs; None where it is not here, or not the only one of its line."""
        place = code.co_name, code.co_firstlineno
        nodes = self._nodes.get(place, [])
        if len(nodes) != 1 or not any(_bytecode(each) == _bytecode(code) for each in self._codes[place]):
            return None
        return nodes[0]


def _lines(function: FunctionType) -> str:
    linecache.checkcache(function.__code__.co_filename)
    return "".join(linecache.getlines(function.__code__.co_filename, function.__globals__))


@lru_cache(maxsize=64)
def _module(text: str, filename: str) -> _Module | None:
    try:
        return _Module(text, filename)
    except (SyntaxError, ValueError, RecursionError):
        return None  # a template, or a cell with commands of its own


def _place(node: _Function) -> tuple[str, int]:
    """The name and first line that its code has; a decorator's line comes first."""
    if isinstance(node, ast.Lambda):
        return "<lambda>", node.lineno
    return node.name, min([node.lineno, *(each.lineno for each in node.decorator_list)])


def _form(node: object) -> object:
    if isinstance(node, ast.AST):
        named = [(name, value) for name, value in ast.iter_fields(node) if name not in _IGNORED]
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            named = [(name, value[1:] if name == "body" else value) for name, value in named]
        return type(node).__name__, [(name, _form(value)) for name, value in named if value not in (None, [])]
    return [_form(each) for each in node] if isinstance(node, list) else repr(node)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _bytecode(code: CodeType) -> object:
    """All that decides what runs, without where it is written; a docstring is the constant that nothing loads."""
    constants = [_bytecode(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    if code.co_consts and isinstance(code.co_consts[0], str) and not _loads_first_constant(code):
        constants[0] = ""
    return code.co_code.hex(), code.co_names, code.co_varnames, code.co_freevars, constants


def _loads_first_constant(code: CodeType) -> bool:
    return any(
        instruction.opname in ("LOAD_CONST", "RETURN_CONST") and instruction.arg == 0
        for instruction in dis.get_instructions(code)
    )
