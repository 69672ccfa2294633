"""A school on one machine, to try everything by hand: `make demo`."""
