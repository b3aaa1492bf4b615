"""Predictions, checks, feedback and grading."""
