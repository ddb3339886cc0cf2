"""What lies in Redis: sessions, the cache, quotas and rates, notices."""
