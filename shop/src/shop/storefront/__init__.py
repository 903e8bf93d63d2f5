"""The storefront: the page from which customers browse, buy, and watch their purchases happen."""
