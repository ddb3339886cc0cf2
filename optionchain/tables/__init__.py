"""Results as tables: data frames, spreadsheets."""
