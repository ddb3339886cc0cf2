"""Write the pages of the API reference: which public name is described on which page.

`conf.py` calls it before each build, so a new name is there without anybody's doing. Each page is a place to import
from: a package with `__all__`, or a module at the root of a package. A name that several places offer is described
once, at the first of them.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

# Whether the modules at the root of a package are places to import from too, or only the package itself.
PACKAGES = {"optionchain": True, "optionchain_client": False}
INDEX = """\
# API reference

What the docstrings say. Each page is a place to import from.

```{toctree}
:maxdepth: 1

"""


def places(package: str, *, with_modules: bool) -> Iterator[ModuleType]:
    """Where the public names of a package are imported from, the package itself first."""
    root = importlib.import_module(package)
    yield root
    found = [
        importlib.import_module(each.name) for each in pkgutil.iter_modules(root.__path__, f"{package}.")
    ]
    public = [module for module in found if not module.__name__.rpartition(".")[2].startswith("_")]
    yield from (module for module in public if hasattr(module, "__all__"))
    if with_modules:
        yield from (module for module in public if not hasattr(module, "__path__"))


def names(module: ModuleType) -> Iterator[str]:
    """The classes and functions that a place offers."""
    offered = getattr(module, "__all__", None) or vars(module)
    for name in offered:
        value = getattr(module, name)
        if name.startswith("_") or not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        if hasattr(module, "__all__") or value.__module__ == module.__name__:
            yield name


def pages() -> dict[str, str]:
    """The text of each page by its name, `index` among them."""
    described: set[object] = set()
    texts = {}
    for package, with_modules in PACKAGES.items():
        for module in places(package, with_modules=with_modules):
            new = [name for name in names(module) if getattr(module, name) not in described]
            described.update(getattr(module, name) for name in new)
            if new:
                texts[module.__name__] = page(module, new)
    return {"index": INDEX + "".join(f"{name}\n" for name in texts) + "```\n", **texts}


def page(module: ModuleType, new: list[str]) -> str:
    """The page of one place, in the order of its `__all__`."""
    blocks = [f".. automodule:: {module.__name__}\n   :no-members:"]
    for name in new:
        kind = "class" if inspect.isclass(getattr(module, name)) else "function"
        blocks.append(f".. auto{kind}:: {module.__name__}.{name}")
    text = "\n\n".join(blocks)
    return f"# {module.__name__}\n\n```{{eval-rst}}\n{text}\n```\n"


def write(folder: Path) -> None:
    """Write the pages where they are not there yet or differ, and remove those of names that are gone."""
    folder.mkdir(exist_ok=True)
    texts = {folder / f"{name}.md": text for name, text in pages().items()}
    for file in set(folder.glob("*.md")) - set(texts):
        file.unlink()
    for file, text in texts.items():
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
