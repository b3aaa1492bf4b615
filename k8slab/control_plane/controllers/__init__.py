"""The controllers, one file for each loop.

Upstream: pkg/controller
"""
