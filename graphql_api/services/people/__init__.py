"""Users, their credentials and their e-mail addresses."""
