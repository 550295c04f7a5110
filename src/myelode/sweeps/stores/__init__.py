"""The store of a sweep: one zarr group, its locks, and the ledger in it."""
