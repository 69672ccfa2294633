"""How a card's number is written for people."""


def card_number(uid: str) -> str:
    """A card's number in pairs, as it is easier to compare."""
    return " ".join(uid[at : at + 2] for at in range(0, len(uid), 2))
