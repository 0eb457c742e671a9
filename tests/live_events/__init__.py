"""Following events as clients do: over both transports, across processes, and through lost connections."""
