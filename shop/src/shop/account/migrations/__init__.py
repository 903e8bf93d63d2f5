"""The revisions of the account database."""
