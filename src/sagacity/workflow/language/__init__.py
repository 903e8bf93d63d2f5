"""The workflow file: YAML in and out, the everyday shorthand, the schema for editors."""
