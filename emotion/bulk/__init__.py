"""Pictures and films, of any number and length -> files of votes. Begin with `folders`; `film` does a single one."""
