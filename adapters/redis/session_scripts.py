"""What Redis does at once for the sessions: storing one, and sharing out the cleaning."""

from __future__ import annotations

# KEYS: the session; and if it was given keyed commands what such commands were given, in this period and those around.
# ARGV: expected version ('0': nothing), new version, served commands, time to live in ms, that of keyed commands, how
# many of these and what they were given, then fields and values.
# A keyed command that was stored before is refused, whatever the caller's copy of the session has forgotten.
# The same version reached by the same commands counts as stored, so that a save whose answer was lost can be
# repeated; the version alone would take another's save for ours, or a late one of ours for the one that followed.
# Every creation reaches the same version by no commands: it counts as stored where everything else is the same, too.
SAVE = """
local stored = redis.call('HMGET', KEYS[1], 'version', 'served')
local last = 6 + 2 * ARGV[6]
if stored[1] == ARGV[2] and stored[2] == ARGV[3] then
  for i = last + 1, ARGV[1] == '0' and #ARGV or 0, 2 do
    if redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then return 0 end
  end
  return 1
end
if not stored[1] then
  if ARGV[1] ~= '0' then return -1 end
elseif stored[1] ~= ARGV[1] then
  return 0
end
if KEYS[2] then
  for i = 7, last, 2 do
    for key = 2, #KEYS do
      if redis.call('HEXISTS', KEYS[key], ARGV[i]) > 0 then return stored[1] and 0 or -1 end
    end
  end
  redis.call('HSET', KEYS[2], unpack(ARGV, 7, last))
  redis.call('PEXPIRE', KEYS[2], ARGV[5])
end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'served', ARGV[3], unpack(ARGV, last + 1))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""

# KEYS: an owner's lists, that of the new session first. ARGV: now, until when a reservation holds, the id, how many
# there may be. Answers with nothing where it counts, else with the instant at which the first that is alive expires.
RESERVE = """
local score = redis.call('ZSCORE', KEYS[1], ARGV[3])
if score and tonumber(score) > tonumber(ARGV[1]) then return '' end
local alive, first = 0, false
for _, key in ipairs(KEYS) do
  alive = alive + redis.call('ZCOUNT', key, '(' .. ARGV[1], '+inf')
  local next = redis.call('ZRANGEBYSCORE', key, '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
  if next and (not first or tonumber(next) < tonumber(first)) then first = next end
end
if alive >= tonumber(ARGV[4]) then return first or ARGV[1] end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
return ''
"""

# Cleaning is shared: whoever claims an owner cleans, and nobody else does. While an owner is claimed and not due, a new
# session makes the owner due again, so none is forgotten; and who has no sessions left is in neither set.
# KEYS: due, claimed. ARGV: now, until when the claim holds, how many at most. Answers with the owners.
CLAIM = """
for _, owner in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1])) do
  redis.call('ZREM', KEYS[2], owner)
  redis.call('ZADD', KEYS[1], 'LT', ARGV[1], owner)
end
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, owner in ipairs(due) do
  redis.call('ZREM', KEYS[1], owner)
  redis.call('ZADD', KEYS[2], ARGV[2], owner)
end
return due
"""
