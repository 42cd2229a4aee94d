export { openCounterStore, type RedisCountersOptions } from './redis-counters.ts'
