"""What the logs of attempts say."""

import json
from pathlib import Path


def events(folder="lipcert-audit"):
    """Key -> its events in order; a line that a kill cut short is left out."""
    found = {}
    for path in Path(folder, "attempts").iterdir():
        for line in path.read_text().splitlines():
            try:
                found.setdefault(path.stem, []).append(json.loads(line))
            except ValueError:
                continue
    return found


def starts(folder="lipcert-audit"):
    """Model -> how often its analysis was begun."""
    found = {}
    for lines in events(folder).values():
        for line in lines:
            found[line["model"]] = found.get(line["model"], 0) + (line["event"] == "start")
    return found


def completed_twice(folder="lipcert-audit"):
    """Keys whose analysis was begun after it had been completed."""
    found = []
    for key, lines in events(folder).items():
        kinds = [line["event"] for line in lines]
        if "analyzed" in kinds and "start" in kinds[kinds.index("analyzed") :]:
            found.append(key)
    return found
