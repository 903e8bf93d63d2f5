"""What services say to each other: gRPC (`proto`), commands, replies and events, and what a token claims. No behaviour."""
