"""The orchestrator: starts a saga for each purchase that is asked for, sees it through, and tells how it goes."""
