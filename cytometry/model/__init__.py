"""The values that every layer passes around: frozen, comparable, free of files."""
