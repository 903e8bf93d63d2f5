"""A result as one self-contained page, which works from disk without a network."""

from sagacity.report.html.page import render_html

__all__ = ["render_html"]
