"""A card's number as one reader gives it, and back: some readers give the last byte first. Pure."""

from schema.tables.readers import ByteOrder


def turn(uid: str, order: ByteOrder) -> str:
    """What a reader of this order makes of a number; the same again makes it canonical."""
    if order is ByteOrder.AS_SENT:
        return uid
    return bytes.fromhex(uid)[::-1].hex().upper()
