"""The .proto files, and what is generated of them when the distribution is built. Each names its service."""
