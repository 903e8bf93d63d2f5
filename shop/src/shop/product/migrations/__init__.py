"""The revisions of the product database."""
