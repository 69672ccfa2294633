"""The real parts that tests run against, one file each."""
