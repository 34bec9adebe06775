"""The schema's history. Forward only; a release runs on its own schema and on the next one's."""
