"""The store: revisions, watches, compaction, leases.

Upstream: etcd server/storage/mvcc
"""
