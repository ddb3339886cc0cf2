"""Files of prices and chains as people have them: read into history, and written from it."""

from adapters.history_files.exporting import export_chains, export_prices
from adapters.history_files.importing import ImportReport, import_file
from adapters.history_files.plans import ImportPlan, plan_import

__all__ = ["ImportPlan", "ImportReport", "export_chains", "export_prices", "import_file", "plan_import"]
