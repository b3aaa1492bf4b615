"""Kinds that people define: CustomResourceDefinitions, and the objects of the kinds they make.

`naming` and `controller` are the loop that accepts names and lets a definition go; `serving` keeps
a registry for each served version. What a schema does to objects is in `structural` (prune and
default) and `values` (validate), its rules in `rules` (CEL), its columns in `columns`.

Rule of use: what a definition itself must be is in `validation.definitions`.

Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg
"""
