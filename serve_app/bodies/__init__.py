"""The bodies of requests and answers: their types and schemas; the domain checks their ranges."""
