"""A result or a workflow made visible: terminal, JSON, JUnit, HTML, pictures. Pure: text in, text out."""
