"""Every event type of an organisation in one list: who makes it, who owns it, what correlates it, what expects it, and what
is amiss.

Documents and logs each tell part of it. What each tells is a fact; facts about one event type are one entry. Nothing here
has a clock, chance, input or output:

| module | holds |
|---|---|
| `fact.py` | what one document or log says of one event type |
| `part.py` | a part of a document, with its references followed |
| `asyncapi.py`, `schemas.py`, `workflows.py` | facts from AsyncAPI 2 and 3, from JSON Schema and Avro, from workflows |
| `entry.py` | an event type with all that is known of it; the catalogue |
| `merging.py` | which facts are about the same event type |
| `gaps.py` | what is amiss: what is declared and never seen, seen and never declared, and so on |
"""
