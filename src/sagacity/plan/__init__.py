"""The workflow as relational expressions over a table of events. Pure."""
