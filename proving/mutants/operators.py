"""The small mistakes that are tried: a comparison, a sign, a number or a condition that is wrong, a call left out."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
# Types, and how a class is declared.
_DECLARATIONS = ("annotation", "returns", "decorator_list")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A file with one mistake.

    Attributes:
        file: Its path.
        line: Where the mistake is.
        lines: Those of the statement.
        before: What stands there.
        after: What stands there instead.
        source: The whole file with it, with the same number of lines.
        is_in_function: It is in the code of a function; elsewhere it is made by the import of the module.
    """

    file: Path
    line: int
    lines: range
    before: str
    after: str
    source: str
    is_in_function: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line}  {self.before}  =>  {self.after}"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a piece of syntax stands: in which statement, and whether a function's call runs it."""

    statement: ast.stmt | None = None
    is_in_function: bool = False

    @property
    def lines(self) -> range:
        """Of the statement; without those of the statements in it."""
        if self.statement is None:
            return range(0)
        body = getattr(self.statement, "body", None)
        return range(self.statement.lineno, body[0].lineno if body else (self.statement.end_lineno or 0) + 1)


def mutants_of(file: Path) -> Iterator[Mutant]:
    """Every mutant of a file, in the order of a walk over its syntax."""
    source = file.read_text()
    for node, place in _reached(ast.parse(source), _Place()):
        for changed in _mistakes(node):
            after = ast.unparse(changed)
            # As many lines as before, so that what follows stays where it was.
            padding = "\n" * ((node.end_lineno or 0) - node.lineno)
            text = after + padding if isinstance(changed, ast.stmt) else f"({after}{padding})"
            whole = _replaced(source, node, text)
            yield Mutant(
                file, node.lineno, place.lines, ast.unparse(node), after, whole, place.is_in_function
            )


def _replaced(source: str, node: ast.expr | ast.stmt, text: str) -> str:
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    first, last = node.lineno - 1, (node.end_lineno or 0) - 1
    before = b"".join(lines[:first]) + lines[first][: node.col_offset]
    after = lines[last][node.end_col_offset :] + b"".join(lines[last + 1 :])
    return (before + text.encode() + after).decode()


def _reached(node: ast.AST, place: _Place) -> Iterator[tuple[ast.expr | ast.stmt, _Place]]:
    """The statements and expressions that do something."""
    for name, value in ast.iter_fields(node):
        if name in _DECLARATIONS:
            continue
        inside = place.is_in_function or (isinstance(node, _FUNCTIONS) and name == "body")
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _says_nothing_of_what_is_done(child):
                continue
            there = _Place(child if isinstance(child, ast.stmt) else place.statement, inside)
            if isinstance(child, ast.expr | ast.stmt):
                yield child, there
            yield from _reached(child, there)


def _says_nothing_of_what_is_done(node: ast.AST) -> bool:
    """Texts, types, and what is there for whoever reads or for mypy."""
    match node:
        case ast.JoinedStr() | ast.arg():
            return True
        case ast.keyword(arg="strict") | ast.Expr(value=ast.Call(func=ast.Name(id="assert_never"))):
            return True
    return False


def _mistakes(node: ast.expr | ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=operators):
            for index, operator in enumerate(operators):
                changed = copy.deepcopy(node)
                changed.ops[index] = _COMPARISONS[type(operator)]()
                yield changed
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) if type(operator) in _ARITHMETIC:
            changed_arithmetic = copy.deepcopy(node)
            changed_arithmetic.op = _ARITHMETIC[type(operator)]()
            yield changed_arithmetic
        case ast.BoolOp(op=junction, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(junction, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Constant(value=bool(truth)):
            yield ast.Constant(not truth)
        case ast.Constant(value=int(number) | float(number)):
            yield ast.Constant(number + 1)
        case ast.Expr(value=ast.Call() | ast.Await()):
            yield ast.Pass()
