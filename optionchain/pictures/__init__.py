"""Pictures of what the library computes, as plotly figures, and tables for notebooks; how they look is in `style`."""
