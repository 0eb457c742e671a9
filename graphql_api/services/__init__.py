"""Use cases by noun: gather facts, ask the rules, write rows. Services flush; the edge commits."""
