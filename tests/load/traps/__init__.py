"""Files that would harm whoever opens them in good faith; each builder writes one into a folder and returns its path.

`TRAPS[name]` is (builder, words of the refusal). Each folder holds a file `canary` that nothing may touch, and whatever
a trap would write is called `ran`.
"""

from tests.load.traps import archives, messages, samples

MODELS = {**archives.TRAPS, **messages.TRAPS}
SAMPLES = samples.TRAPS
COMPUTED = messages.COMPUTED


def untouched(folder):
    """Whether the canary is as it was and no payload ran."""
    return (folder / "canary").read_bytes() == b"alive" and not any(folder.rglob("ran*"))


def prepare(folder):
    """A folder with a canary in it."""
    folder.mkdir(parents=True)
    (folder / "canary").write_bytes(b"alive")
    return folder
