"""Where facts are kept and the plan runs."""
