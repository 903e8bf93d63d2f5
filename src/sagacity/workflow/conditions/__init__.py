"""Conditions on events and expressions over raw records: parsed as SQL, admitted against a list, typed, evaluated."""
