"""Tables, the database, migrations, and the few hot statements."""
