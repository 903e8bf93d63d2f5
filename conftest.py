"""What the tests of the library and of the shop share."""

pytest_plugins = ["server_fixtures", "shop_fixtures"]
