"""What we call and do not own: sealing of secrets, password hashing, logs."""
