"""What routes share: how a request finds its handler, is read, is done once, and is answered, at once or in pieces."""
