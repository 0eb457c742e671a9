"""The tests, by room: what a rule says, what the interface promises, what the database makes impossible."""
