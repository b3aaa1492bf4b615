"""Measurements of the lab, its peers beside it in the same run; nothing here is asserted."""
