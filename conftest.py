"""What the tests of the library and of the shop share."""

pytest_plugins = ["server_fixtures", "engine_fixtures", "shop_fixtures"]
