"""What expectations are called, whose they are, and what verdicts mean in plain words."""
