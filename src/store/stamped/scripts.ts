// The scripts that a server behind a member of a ring runs: each reads or changes a value and its side record at once.
//
// The side record of a key has the key's name, in database SIDE_DATABASE: "kind ms tail expiry digest". The kind is v (a value) or
// t (a tombstone); ms and tail are the stamp as in stamp.ts; the expiry is that of the value in ms since the epoch, 0 for never; the
// digest is of the value, the same however the server keeps it. What the side record does not describe was not written through the
// ring: it gets a stamp when it is found. A value that is missing though its side record neither is a tombstone nor has expired
// was evicted: nothing is held of it.

/** Where side records are; clients' keys are in database 0. */
export const SIDE_DATABASE = 15;
/** How long a tombstone is kept, in ms: 7 days. */
export const TOMBSTONE_MS = 7 * 24 * 3600 * 1000;

const COMMON = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function side(key)
  redis.call('SELECT', ${SIDE_DATABASE})
  local text = redis.call('GET', key)
  redis.call('SELECT', 0)
  if not text then return nil end
  local kind, ms, tail, expiry, digest = string.match(text, '^([vt]) (%d+) (%d+) (%d+) (%x*)$')
  if not kind then return nil end
  return {kind = kind, ms = tonumber(ms), tail = tonumber(tail), expiry = tonumber(expiry), digest = digest}
end

local function text(number) return string.format('%.0f', number) end

local function keep(key, kind, ms, tail, expiry, digest)
  local record = kind .. ' ' .. text(ms) .. ' ' .. text(tail) .. ' ' .. text(expiry) .. ' ' .. digest
  local dies = 0
  if kind == 't' then dies = now + ${TOMBSTONE_MS} elseif expiry > 0 then dies = expiry + ${TOMBSTONE_MS} end
  redis.call('SELECT', ${SIDE_DATABASE})
  if dies > 0 then redis.call('SET', key, record, 'PXAT', text(dies)) else redis.call('SET', key, record) end
  redis.call('SELECT', 0)
end

local function joined(items)
  local lengths = {}
  for i = 1, #items do lengths[i] = #items[i] end
  return redis.sha1hex(table.concat(lengths, ',') .. ' ' .. table.concat(items))
end

local function digestOf(key, type)
  if type == 'string' then return redis.sha1hex(redis.call('GET', key)) end
  if type == 'list' then return joined(redis.call('LRANGE', key, 0, -1)) end
  if type == 'zset' then return joined(redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')) end
  if type == 'set' then
    local members = redis.call('SMEMBERS', key)
    table.sort(members)
    return joined(members)
  end
  if type == 'hash' then
    local flat = redis.call('HGETALL', key)
    local fields, values, items = {}, {}, {}
    for i = 1, #flat, 2 do fields[#fields + 1] = flat[i]; values[flat[i]] = flat[i + 1] end
    table.sort(fields)
    for i = 1, #fields do items[i * 2 - 1] = fields[i]; items[i * 2] = values[fields[i]] end
    return joined(items)
  end
  return redis.sha1hex(redis.call('DUMP', key))
end

local function expiryOf(key)
  local expiry = redis.call('PEXPIRETIME', key)
  if expiry < 0 then return 0 end
  return expiry
end

local function isNewer(ms, tail, otherMs, otherTail)
  return ms > otherMs or (ms == otherMs and tail > otherTail)
end

-- The oldest stamp of a node that is newer than another stamp.
local function after(ms, tail, node)
  local counter = math.floor(tail / 65536) + 1
  if counter > 65535 then return ms + 1, node end
  return ms, counter * 65536 + node
end

-- What is held of a key; a stamp of its own for what was not written through the ring.
local function look(key, foundMs, foundTail, node)
  local held = side(key)
  local type = redis.call('TYPE', key).ok
  if type == 'none' then
    if not held then return {kind = 'n', ms = 0, tail = 0, expiry = 0} end
    if held.kind == 'v' then
      if held.expiry == 0 or held.expiry > now then return {kind = 'n', ms = 0, tail = 0, expiry = 0} end
      held.kind = 't'
      keep(key, 't', held.ms, held.tail, 0, '')
    end
    held.expiry = 0
    return held
  end
  local digest = digestOf(key, type)
  local expiry = expiryOf(key)
  if held and held.kind == 'v' and held.digest == digest and held.expiry == expiry then
    held.type = type
    return held
  end
  local ms, tail = 1, node
  if held then
    ms, tail = foundMs, foundTail
    if not isNewer(ms, tail, held.ms, held.tail) then ms, tail = after(held.ms, held.tail, node) end
  end
  keep(key, 'v', ms, tail, expiry, digest)
  return {kind = 'v', ms = ms, tail = tail, expiry = expiry, type = type, isFound = 1}
end

local function payload(key, type)
  if type == 'string' then return 's', redis.call('GET', key) end
  return 'd', redis.call('DUMP', key)
end
`;

/**
 * KEYS: a key. ARGV: ms and tail for what is found, this node, ms and tail that the asker holds. Answers ms, tail, whether it was
 * found, the kind (n: nothing, t: a tombstone, s: a string, d: as DUMP has it) and the expiry; the value where it is newer.
 */
const READ = `${COMMON}
local key = KEYS[1]
local held = look(key, tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]))
local kind, value = held.kind, nil
if held.type and isNewer(held.ms, held.tail, tonumber(ARGV[4]), tonumber(ARGV[5])) then
  kind, value = payload(key, held.type)
end
return {text(held.ms), text(held.tail), held.isFound or 0, kind, text(held.expiry), value}
`;

/**
 * KEYS: a key. ARGV: ms and tail for what is found, this node, then the write: ms, tail, kind (t, s, d), expiry, value. Answers
 * ms and tail of what was held, whether it was found, and what became of the write: applied, equal or stale.
 */
const APPLY = `${COMMON}
local key = KEYS[1]
local held = look(key, tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]))
local ms, tail, kind, expiry = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7])
local isFound = held.isFound or 0
if not isNewer(ms, tail, held.ms, held.tail) then
  local same = ms == held.ms and tail == held.tail
  return {text(held.ms), text(held.tail), isFound, same and 'equal' or 'stale'}
end
if kind == 't' or (expiry > 0 and expiry <= now) then
  redis.call('UNLINK', key)
  keep(key, 't', ms, tail, 0, '')
else
  if kind == 's' then
    if expiry > 0 then redis.call('SET', key, ARGV[8], 'PXAT', ARGV[7]) else redis.call('SET', key, ARGV[8]) end
  else
    redis.call('RESTORE', key, ARGV[7], ARGV[8], 'REPLACE', 'ABSTTL')
  end
  keep(key, 'v', ms, tail, expiry, digestOf(key, redis.call('TYPE', key).ok))
end
return {text(held.ms), text(held.tail), isFound, 'applied'}
`;

/**
 * Behind a command in its transaction. KEYS: the keys of the command. ARGV: ms and tail that were minted for it, this node, 1 where it
 * has written all of them, whatever was there. Answers ms, tail, and of each key that it has changed: index, kind, expiry, value.
 */
const STAMP = `${COMMON}
local ms, tail, node = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local seen, changed = {}, {}
for index, key in ipairs(KEYS) do
  if not seen[key] then
    seen[key] = true
    local held = side(key)
    local type = redis.call('TYPE', key).ok
    local change = {index = index, key = key, type = type, expiry = 0, digest = ''}
    local isSame
    if type == 'none' then
      isSame = not held or held.kind == 't'
    else
      change.digest, change.expiry = digestOf(key, type), expiryOf(key)
      isSame = held and held.kind == 'v' and held.digest == change.digest and held.expiry == change.expiry
    end
    if ARGV[4] == '1' or not isSame then
      changed[#changed + 1] = change
      if held and not isNewer(ms, tail, held.ms, held.tail) then ms, tail = after(held.ms, held.tail, node) end
    end
  end
end
local answer = {text(ms), text(tail)}
for _, change in ipairs(changed) do
  local kind, value = 't', ''
  if change.type == 'none' then
    keep(change.key, 't', ms, tail, 0, '')
  else
    keep(change.key, 'v', ms, tail, change.expiry, change.digest)
    kind, value = payload(change.key, change.type)
  end
  answer[#answer + 1] = change.index
  answer[#answer + 1] = kind
  answer[#answer + 1] = text(change.expiry)
  answer[#answer + 1] = value
end
return answer
`;

/** KEYS: none. ARGV: a database, a cursor, about how many keys. Answers the next cursor and the keys. */
const WALK = `
redis.call('SELECT', ARGV[1])
local step = redis.call('SCAN', ARGV[2], 'COUNT', ARGV[3])
redis.call('SELECT', 0)
return step
`;

export const SCRIPTS = { read: READ, apply: APPLY, stamp: STAMP, walk: WALK } as const;
export type ScriptName = keyof typeof SCRIPTS;
