"""Who stands behind stats that were added up."""

from __future__ import annotations


class Crowd:
    """Whose stats were added up, of one state, group, command and host. `people`: pid and start of each."""

    __slots__ = ("cmd", "group", "host", "people", "state")

    def __init__(self, state: str, group: str, cmd: str, host: str, people: set[tuple[int, float]]) -> None:
        self.state = state
        self.group = group
        self.cmd = cmd
        self.host = host
        self.people = people
