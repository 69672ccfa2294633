"""The JSON interface for other programs, `/api/v1`: the same rights and the same data as pages."""
