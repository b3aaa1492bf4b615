"""Figures and widgets: they read the API and the trace, and drive nothing but the clock."""
