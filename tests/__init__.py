"""Tests; they mirror the tree, and journeys/ runs whole stories through real processes."""
