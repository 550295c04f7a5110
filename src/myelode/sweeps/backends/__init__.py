"""Who computes the chunks of a sweep: threads, processes, Dask, or array jobs."""
