"""Training the embedded policy: decisions out of examples, weights out of decisions."""
