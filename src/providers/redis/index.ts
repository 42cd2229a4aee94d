export { openRedisCounters, type RedisCountersOptions } from './redis-counters.ts'
