"""Leave slips (请假条): asked, decided, and what they open."""
