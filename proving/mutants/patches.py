"""A mutant in a process that has the right code: its functions are given the mutant's, wherever they are held."""

from __future__ import annotations

import gc
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from proving.mutants.operators import Mutant


def functions_of(file: Path) -> list[FunctionType]:
    """The functions of a file that exist in this process."""
    path = str(file.resolve())
    return [
        each
        for each in gc.get_objects()
        # A dead proxy has no class any more, but a type.
        if type(each) is FunctionType and each.__code__.co_filename == path
    ]


def is_patch(mutant: Mutant) -> bool:
    """Whether functions can be given the mutant's code: not what runs at the import, nor with other outer variables."""
    right = {
        _place(code): code.co_freevars for code in _codes(_compiled(mutant.file, mutant.file.read_text()))
    }
    changed = {_place(code): code.co_freevars for code in _codes(_compiled(mutant.file, mutant.source))}
    return mutant.is_in_function and all(right[place] == variables for place, variables in changed.items())


def patch(functions: Sequence[FunctionType], mutant: Mutant) -> None:
    """Give functions the code that they have in the mutant."""
    changed = {_place(code): code for code in _codes(_compiled(mutant.file, mutant.source))}
    for function in functions:
        function.__code__ = changed.get(_place(function.__code__), function.__code__)


def _compiled(file: Path, source: str) -> CodeType:
    return compile(source, str(file.resolve()), "exec")


def _place(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


class Imported(MetaPathFinder):
    """Has a process import the mutant in place of the file; for what the import itself does."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._name = ".".join(mutant.file.with_suffix("").parts).removesuffix(".__init__")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        file = str(self._mutant.file.resolve())
        return importlib.util.spec_from_file_location(
            fullname, file, loader=_Loader(fullname, file, self._mutant.source)
        )

    def install(self) -> None:
        """Before the module is imported."""
        sys.meta_path.insert(0, self)


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, source: str) -> None:
        super().__init__(fullname, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec")
