"""What is brought along from other systems."""
