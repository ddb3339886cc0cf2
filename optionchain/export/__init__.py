"""Files of a simulation's rows: three datasets, four formats, written piece by piece."""

from optionchain.export.datasets import Dataset
from optionchain.export.encodings import Format
from optionchain.export.export import Export, Layout

__all__ = ["Dataset", "Export", "Format", "Layout"]
