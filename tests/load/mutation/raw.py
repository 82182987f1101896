"""Bytes changed without knowing what they mean."""


def changed_bytes(content, chance):
    """The content with one to four stretches flipped, cut, dropped, doubled or moved."""
    changed = bytearray(content)
    for _ in range(1 + chance.below(4)):
        place, length = chance.below(len(changed)), 1 + chance.below(16)
        kind = chance.below(6)
        if kind == 0 and changed:
            changed[place] ^= 1 << chance.below(8)
        elif kind == 1:
            changed[place : place + length] = chance.bytes(length)
        elif kind == 2:
            del changed[place : place + length]
        elif kind == 3:
            changed[place:place] = changed[place : place + length]
        elif kind == 4:
            other = chance.below(len(changed))
            changed[place : place + length] = changed[other : other + length]
        elif chance.below(3) == 0:
            del changed[place:]
    return bytes(changed)
