"""Everything that is looked at, in the order in which it is told."""

from __future__ import annotations

import os

from mmstats.doctor.files import dropped, files
from mmstats.doctor.finding import WRONG, Finding
from mmstats.doctor.folding import folding
from mmstats.doctor.kernel import kernel
from mmstats.doctor.probe import first_there
from mmstats.doctor.program import environment, software
from mmstats.doctor.readers import readers, sees
from mmstats.doctor.writer import file_name, writer
from mmstats.host.places import temp_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Section:
    """Findings under a title. `key`: its name for programs, which stays."""

    __slots__ = ("findings", "key", "nothing", "title")

    def __init__(self, key: str, title: str, findings: list[Finding], nothing: str = "") -> None:
        self.key = key
        self.title = title
        self.findings = findings
        self.nothing = nothing


def examine(paths: Sequence[str]) -> list[Section]:
    """What was found, section by section. `paths`: as for slurpstats; empty: the readers' places."""
    directory, published = writer()
    if directory and not paths and not sees(directory, file_name()):
        text = "readers of this environment do not look there: MMSTATS_GLOB does not match it"
        published.append(Finding(WRONG, "seen", text, "unset MMSTATS_GLOB, or let it match"))
    found = list(files(paths))
    looked = list(readers(paths))
    fate = list(folding(_directories(looked, paths), found))
    lost = list(dropped(found))
    return [
        Section("software", "What runs here", list(software())),
        Section("environment", "Environment", list(environment()), "no MMSTATS_* variable is set"),
        Section("writer", "A writer started here, now", published),
        Section("readers", "Where readers look", looked),
        Section("files", "Files", found, "none" if paths else NO_FILE),
        *([Section("folding", "What became of the dead", fate)] if fate else []),
        *([Section("dropped", "What could not be published", lost)] if lost else []),
        Section("kernel", "What the kernel gives", list(kernel(first_there(directory or temp_directory())))),
    ]


def _directories(looked: Sequence[Finding], paths: Sequence[str]) -> list[str]:
    """Where there may be something that no reader looks at: each one once, whatever it is called."""
    named = [path.rstrip("/") for path in paths if os.path.isdir(path)]
    return [
        *named,
        *(one.facts["directory"] for one in looked if one.facts["looked"] and one.facts["directory"]),
    ]


NO_FILE = (
    "none. Does the program run as this user, with these variables, in this container? If it could not\n"
    "publish, it has said so once, to the logger `mmstats`"
)


def is_well(sections: Sequence[Section]) -> bool:
    """Whether everything works, and every file is counted."""
    return not wrong(sections)


def wrong(sections: Sequence[Section]) -> list[Finding]:
    """What is not as it should be."""
    return [finding for section in sections for finding in section.findings if finding.mark == WRONG]
