"""Who does the work, where files lie, and what lies near what: cores or a Dask cluster, this disk or storage behind an
address, search among many points.

Begin with `cluster.workers` and `storage.Folder`. Nothing here knows of faces.
"""
