"""Contracts: their terms, what holding the underlying costs and brings, quotes, products that exchanges list."""
