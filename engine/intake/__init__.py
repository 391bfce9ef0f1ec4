"""What comes into the house from outside: others' programs, run again here, as a run of their own."""
