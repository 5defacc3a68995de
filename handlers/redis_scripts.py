"""What runs inside Redis, in one step each: the layout is Dramatiq's, the clock is that of Redis.

One queue is a list of ids, a hash of id -> message, a set of the ids that each worker holds, and dead letters as a sorted
set and a hash; beside these, ours alone, a set of the ids that wait. Dramatiq's own script takes the time from whoever
calls; two hosts whose clocks differ would then take each other for dead.
"""

from __future__ import annotations

#: A held set is forgotten after a day without its worker, whatever happened.
_HELD_SECONDS = 86_400

# KEYS: queue, its messages, ids that wait. ARGV: room, then id and message in turn. Returns how many were taken or wait.
# A row that is rung by whoever committed, and by every ticker, waits once.
RING = """
local length = redis.call('llen', KEYS[1])
if length == 0 then redis.call('del', KEYS[3]) end
local room, there = tonumber(ARGV[1]) - length, 0
for i = 2, #ARGV, 2 do
  if redis.call('sismember', KEYS[3], ARGV[i]) == 1 then
    there = there + 1
  elseif room > 0 then
    redis.call('sadd', KEYS[3], ARGV[i])
    redis.call('hset', KEYS[2], ARGV[i], ARGV[i + 1])
    redis.call('rpush', KEYS[1], ARGV[i])
    room, there = room - 1, there + 1
  end
end
return there
"""

# KEYS: queue, its messages, ids that wait, what this worker holds, dead letters, their messages, heartbeats.
# ARGV: this worker, how many, most bytes, number of handled ids, handled ids, ids to set aside.
# Returns how many were set aside for their length, then id and message in turn.
TAKE = f"""
local worker, wanted, most, handled = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now = redis.call('time')[1] * 1000
redis.call('zadd', KEYS[7], now, worker)
local function aside(id, kept)
  redis.call('zadd', KEYS[5], now, id)
  redis.call('hset', KEYS[6], id, kept)
end
for i = 5, #ARGV do
  if redis.call('srem', KEYS[4], ARGV[i]) > 0 then
    local message = i > 4 + handled and redis.call('hget', KEYS[2], ARGV[i])
    if message then aside(ARGV[i], message) end
    redis.call('hdel', KEYS[2], ARGV[i])
  end
end
local taken, long, looked = {{}}, 0, 0
while #taken < 2 * wanted and looked < 1000 do
  local id = redis.call('lpop', KEYS[1])
  if not id then break end
  looked = looked + 1
  redis.call('srem', KEYS[3], id)
  local size = redis.call('hstrlen', KEYS[2], id)
  if size > most or #id > 64 then
    if #id <= 64 then aside(id, string.sub(redis.call('hget', KEYS[2], id), 1, most)) end
    redis.call('hdel', KEYS[2], id)
    long = long + 1
  elseif size > 0 then
    redis.call('sadd', KEYS[4], id)
    taken[#taken + 1] = id
    taken[#taken + 1] = redis.call('hget', KEYS[2], id)
  end
end
if #taken > 0 then redis.call('expire', KEYS[4], {_HELD_SECONDS}) end
return {{long, taken}}
"""

# KEYS: queue, its messages, ids that wait, what this worker holds. ARGV: ids that were never begun.
GIVE_BACK = """
for i = 1, #ARGV do
  local held = redis.call('srem', KEYS[4], ARGV[i]) > 0 and redis.call('hexists', KEYS[2], ARGV[i]) > 0
  if held and redis.call('sadd', KEYS[3], ARGV[i]) > 0 then redis.call('lpush', KEYS[1], ARGV[i]) end
end
"""

# KEYS: heartbeats. ARGV: namespace, heartbeat that counts as dead in ms, how long dead letters are kept in ms, queues.
# What dead workers held goes back to its queue, old dead letters go for good.
UPKEEP = """
local now = redis.call('time')[1] * 1000
local dead = redis.call('zrangebyscore', KEYS[1], 0, now - ARGV[2], 'LIMIT', 0, 100)
for i = 4, #ARGV do
  local queue = ARGV[1] .. ':' .. ARGV[i]
  for _, worker in ipairs(dead) do
    local held = ARGV[1] .. ':__acks__.' .. worker .. '.' .. ARGV[i]
    for _, id in ipairs(redis.call('smembers', held)) do
      local is_there = redis.call('hexists', queue .. '.msgs', id) > 0
      if is_there and redis.call('sadd', queue .. '.waiting', id) > 0 then redis.call('rpush', queue, id) end
    end
    redis.call('del', held)
  end
  for _, id in ipairs(redis.call('zrangebyscore', queue .. '.XQ', 0, now - ARGV[3], 'LIMIT', 0, 1000)) do
    redis.call('zrem', queue .. '.XQ', id)
    redis.call('hdel', queue .. '.XQ.msgs', id)
  end
end
for _, worker in ipairs(dead) do redis.call('zrem', KEYS[1], worker) end
"""
