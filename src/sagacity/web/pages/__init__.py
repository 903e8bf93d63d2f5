"""The live web pages: rendered by the server, kept fresh by small modules, and served from one origin."""

from sagacity.web.pages.routes import HANDLERS, error_page

__all__ = ["HANDLERS", "error_page"]
