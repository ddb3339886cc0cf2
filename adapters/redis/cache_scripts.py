"""What happens to the cache within Redis, as a whole each time: its bounds are kept there, and versions decide there.

KEYS of each: the entry; the sorted set of all entries by their end; the hash of their sizes, with that of `all`.
An entry is its version, a space, and the value; without a value it only keeps older versions out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.exceptions import OutOfMemoryError

from adapters.redis.connection import RedisClient

T = TypeVar("T")

# Of the memory that Redis may take, when it evicts nothing: beyond it the cache leaves the rest to others.
SHARE = 0.8
# What an entry takes beside its value and three times its name (Redis 7.0, Valkey 9).
OVERHEAD_BYTES = 300
# The allocator has sizes of its own; up to so much more is taken.
ROUNDED_UP = 1.25
# A script that makes room holds everybody up: by about a millisecond for a hundred.
MOST_DROPPED = 1000

_PARTS = f"""
local function version_of(key)
  return tonumber(string.match(redis.call('GETRANGE', key, 0, 19), '^(%d+) ') or '-1')
end
local function drop(key)
  redis.call('DEL', key)
  redis.call('ZREM', KEYS[2], key)
  -- Not by a minus sign: Redis 7.0 does not take -0 for an integer.
  redis.call('HINCRBY', KEYS[3], 'all', 0 - (redis.call('HGET', KEYS[3], key) or 0))
  redis.call('HDEL', KEYS[3], key)
end
local function all()
  return tonumber(redis.call('HGET', KEYS[3], 'all') or 0)
end
-- What ends first makes room. Whether there is room for so much then.
local function make_room(size, bound)
  if size > bound then return false end
  local memory = redis.call('INFO', 'memory')
  local most = tonumber(string.match(memory, 'maxmemory:(%d+)'))
  if most > 0 and string.match(memory, 'maxmemory_policy:(%a+)') == 'noeviction' then
    local others = tonumber(string.match(memory, 'used_memory:(%d+)')) - all()
    bound = math.min(bound, math.floor({SHARE} * most) - others)
  end
  for _ = 1, {MOST_DROPPED} do
    if all() + size <= bound then return true end
    local first = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
    if not first then
      redis.call('DEL', KEYS[3])
      return size <= bound
    end
    drop(first)
  end
  return false
end
"""
# ARGV: the value, its time to live in milliseconds, its version, the bound of all. Whether nothing newer is known.
KEEP = (
    _PARTS
    + f"""
if version_of(KEYS[1]) > tonumber(ARGV[3]) then return 0 end
local size = math.ceil({ROUNDED_UP} * #ARGV[1]) + 3 * #KEYS[1] + {OVERHEAD_BYTES}
drop(KEYS[1])
if not make_room(size, tonumber(ARGV[4])) then return 1 end
local now = redis.call('TIME')
redis.call('SET', KEYS[1], ARGV[3] .. ' ' .. ARGV[1], 'PX', ARGV[2])
redis.call('ZADD', KEYS[2], now[1] * 1000 + now[2] / 1000 + ARGV[2], KEYS[1])
redis.call('HSET', KEYS[3], KEYS[1], size)
redis.call('HINCRBY', KEYS[3], 'all', size)
return 1
"""
)
# ARGV: the version before which all is to be forgotten (0: all), for how many milliseconds older ones are kept out, and
# what to say on which channel.
FORGET = (
    _PARTS
    + """
local version = tonumber(ARGV[1])
if version == 0 or version_of(KEYS[1]) < version then
  drop(KEYS[1])
  if version > 0 then redis.call('SET', KEYS[1], ARGV[1] .. ' ', 'PX', ARGV[2]) end
end
redis.call('PUBLISH', ARGV[3], ARGV[4])
"""
)
GIVE_WAY = _PARTS + "make_room(0, math.huge)"


def cache_place(prefix: str) -> str:
    """What every key of the cache begins with; the braces keep all of them in one slot of Redis Cluster."""
    return f"{{{prefix}:cache}}"


def cache_keys(place: str, key: str) -> tuple[str, str, str]:
    """The KEYS of a script."""
    return f"{place}:{key}", f"{place}-ends", f"{place}-sizes"


async def with_room(client: RedisClient, prefix: str, operation: Callable[[], Awaitable[T]]) -> T:
    """Run what may be repeated; where Redis is full, once more after the cache in it has given way.

    Args:
        client: Of the server.
        prefix: Of every key.
        operation: What is run.
    """
    try:
        return await operation()
    except OutOfMemoryError:
        keys = cache_keys(cache_place(prefix), "")
        await client.execute_command("EVAL", GIVE_WAY, len(keys), *keys)
        return await operation()
