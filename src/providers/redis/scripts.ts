import { createHash } from 'node:crypto'

/** A script of the store with the name by which it is called once the store knows it. */
export interface Script {
  readonly text: string
  /** SHA-1 of the text, hex. */
  readonly sha: string
}

const script = (text: string): Script => ({ text, sha: createHash('sha1').update(text).digest('hex') })

/** Time is the store's, in microseconds; numbers stay below 2^53, where Lua's doubles are whole. */
const CLOCK = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function int(value) return string.format('%.0f', value) end
`

/**
 * GCRA. The time at which all debts are paid is kept in microseconds and a rest in parts of 1/count of one, so that
 * nothing drifts, whatever the period and the count. Most rates have no rest, and a shorter way.
 */
const RATE = `
local function owed(key)
  local value = redis.call('GET', key)
  if not value then return 0, 0 end
  local paid, parts = tonumber(value), 0
  if not paid then
    paid, parts = string.match(value, '^(%d+) (%d+)$')
    parts = tonumber(parts)
  end
  if paid - now < 0 then return 0, 0 end
  return paid - now, parts
end

local function even(key, cost, want, whole, burst)
  local mostUs = burst * whole
  local oweUs = math.min(mostUs, (owed(key)))
  local left = math.floor((mostUs - oweUs) / whole)
  if cost > burst then return NEVER, left, 0, oweUs end
  if cost > left then return oweUs + cost * whole - mostUs, left, 0, oweUs end
  local grant = math.min(want, left)
  local us = oweUs + grant * whole
  return 0, left - grant, grant, us, function()
    redis.call('SET', key, int(now + us), 'PX', int(math.floor(us / 1000) + 1))
  end
end

local function odd(key, cost, want, whole, burst, rest, count)
  local function span(units)
    local parts = units * rest
    local carry = math.floor(parts / count)
    return units * whole + carry, parts - carry * count
  end
  local mostUs, mostParts = span(burst)
  local oweUs, oweParts = owed(key)
  if oweUs > mostUs then oweUs, oweParts = mostUs, mostParts end
  local function after(units)
    local us, parts = span(units)
    us, parts = us + oweUs, parts + oweParts
    if parts >= count then us, parts = us + 1, parts - count end
    return us, parts
  end
  local function fits(units)
    local us, parts = after(units)
    return us < mostUs or (us == mostUs and parts <= mostParts)
  end
  local left = math.floor((mostUs - oweUs + (mostParts - oweParts) / count) / (whole + rest / count))
  left = math.max(0, math.min(burst, left))
  if left < burst and fits(left + 1) then left = left + 1 end
  if left > 0 and not fits(left) then left = left - 1 end
  local resetUs = oweUs + (oweParts > 0 and 1 or 0)
  if cost > burst then return NEVER, left, 0, resetUs end
  if cost > left then
    local us, parts = after(cost)
    return us - mostUs + (parts > mostParts and 1 or 0), left, 0, resetUs
  end
  local grant = math.min(want, left)
  local us, parts = after(grant)
  return 0, left - grant, grant, us + (parts > 0 and 1 or 0), function()
    redis.call('SET', key, int(now + us) .. ' ' .. int(parts), 'PX', int(math.floor(us / 1000) + 1))
  end
end

local function rate(key, cost, want)
  local whole, rest, count, burst = num(), num(), num(), num()
  if rest == 0 then return even(key, cost, want, whole, burst) end
  return odd(key, cost, want, whole, burst, rest, count)
end
`

/** The times of the latest admissions, the newest first; those that have left the window fall off at the end. */
const WINDOW = `
local function window(key, cost, want)
  local count, periodUs = num(), num()
  local function at(index) return tonumber(redis.call('LINDEX', key, int(index))) end
  local newest = at(0)
  if newest and newest > now then
    local times = redis.call('LRANGE', key, 0, -1)
    redis.call('DEL', key)
    for index = 1, #times do redis.call('RPUSH', key, int(times[index] - (newest - now))) end
    redis.call('PEXPIRE', key, int(math.floor(periodUs / 1000) + 1))
    newest = now
  end
  local used, beyond = 0, newest and redis.call('LLEN', key) or 0
  while used < beyond do
    local middle = math.floor((used + beyond) / 2)
    if at(middle) + periodUs > now then used = middle + 1 else beyond = middle end
  end
  local resetUs = used > 0 and newest + periodUs - now or 0
  local left = math.max(0, count - used)
  if cost > count then return NEVER, left, 0, resetUs end
  if cost > left then return at(count - cost) + periodUs - now, left, 0, resetUs end
  local grant = math.min(cost, want)
  return 0, left - grant, grant, grant > 0 and periodUs or resetUs, function()
    for unit = 1, grant do redis.call('LPUSH', key, int(now)) end
    redis.call('LTRIM', key, 0, int(count - 1))
    redis.call('PEXPIRE', key, int(math.floor(periodUs / 1000) + 1))
  end
end
`

/** The window that the store's clock is in. A window that has begun never goes back to an earlier one. */
const CALENDAR = `
local function calendar(key, cost, want)
  local count, before, from, to, after = num(), num(), num(), num(), num()
  local start, stop = from, to
  if now < from then start, stop = before, from elseif now >= to then start, stop = to, after end
  local used = 0
  local value = redis.call('GET', key)
  if value then
    local started, stops, counted = string.match(value, '^(%d+) (%d+) (%d+)$')
    if tonumber(started) >= start then start, stop, used = tonumber(started), tonumber(stops), tonumber(counted) end
  end
  local leftUs = math.max(1000000, stop - now)
  local left = math.max(0, count - used)
  local grant = math.min(cost, want)
  local resetUs = used + grant > 0 and leftUs or 0
  if cost > count then return NEVER, left, 0, resetUs end
  if cost > left then return leftUs, left, 0, resetUs end
  return 0, left - grant, grant, resetUs, function()
    local next = int(start) .. ' ' .. int(stop) .. ' ' .. int(used + grant)
    redis.call('SET', key, next, 'PX', int(math.floor(leftUs / 1000) + 1))
  end
end
`

/** Leases by the time of their end. What a clock ahead has written ends after one length at the latest. */
const CONCURRENCY = `
local function concurrency(key, cost, want, dry)
  local count, leaseUs, lease = num(), num(), arg()
  local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]
  if last and tonumber(last) > now + leaseUs then
    for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      redis.call('ZADD', key, 'LT', int(now + leaseUs), member)
    end
  end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', int(now))
  local used = redis.call('ZCARD', key)
  local left = math.max(0, count - used)
  local resetUs = used > 0 and math.min(last - now, leaseUs) or 0
  local wait = 0
  if cost > count then wait = NEVER elseif cost > left then wait = 1000000 end
  if wait ~= 0 and (not dry or used + cost > 1023) then return wait, left, 0, resetUs end
  local grant = math.min(cost, want)
  return wait, math.max(0, left - grant), grant, grant > 0 and leaseUs or resetUs, function()
    for unit = 1, grant do redis.call('ZADD', key, int(now + leaseUs), lease .. ':' .. unit) end
    redis.call('PEXPIRE', key, int(math.floor(leaseUs / 1000) + 1))
  end
end
`

/**
 * `take`: any number of requests, one after the other. KEYS are the counters of all of them; ARGV has for each request how
 * many are its own and for each of those kind, dry run (0, 1), cost, want and what the kind reads. Answers with four
 * numbers for each counter: wait in microseconds (-1: never), units left, units taken, microseconds to the reset.
 * Of one request everything is looked at first, and then everything is written or nothing.
 */
export const takeScript = script(`${CLOCK}
local NEVER = -1
local place = 0
local function arg() place = place + 1 return ARGV[place] end
local function num() return tonumber(arg()) end
${RATE}${WINDOW}${CALENDAR}${CONCURRENCY}
local kinds = { r = rate, w = window, d = calendar, c = concurrency }
local reply, asked = {}, 0
while asked < #KEYS do
  local first, last = asked + 1, asked + num()
  local writes, refused = {}, false
  for index = first, last do
    local kind, dry, cost, want = arg(), arg() == '1', num(), num()
    local wait, left, grant, reset, write = kinds[kind](KEYS[index], cost, want, dry)
    if wait ~= 0 and not dry then refused = true end
    if grant > 0 then writes[#writes + 1] = write end
    local at = 4 * index - 3
    reply[at], reply[at + 1], reply[at + 2], reply[at + 3] = wait, left, grant, reset
  end
  if refused then
    for index = first, last do reply[4 * index - 1] = 0 end
  else
    for _, write in ipairs(writes) do write() end
  end
  asked = last
end
return reply
`)

/** `renew`: KEYS are the counters; ARGV has for each cost, length in microseconds and lease. 1, or 0 if one is over. */
export const renewScript = script(`${CLOCK}
for index, key in ipairs(KEYS) do
  for unit = 1, tonumber(ARGV[3 * index - 2]) do
    local ends = redis.call('ZSCORE', key, ARGV[3 * index] .. ':' .. unit)
    if not ends or tonumber(ends) <= now then return 0 end
  end
end
for index, key in ipairs(KEYS) do
  local leaseUs = tonumber(ARGV[3 * index - 1])
  for unit = 1, tonumber(ARGV[3 * index - 2]) do
    redis.call('ZADD', key, int(now + leaseUs), ARGV[3 * index] .. ':' .. unit)
  end
  redis.call('PEXPIRE', key, int(math.floor(leaseUs / 1000) + 1))
end
return 1
`)
