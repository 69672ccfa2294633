"""What is kept on one person: giving it out (PIPL art. 45) and erasing it (PIPL art. 47)."""
