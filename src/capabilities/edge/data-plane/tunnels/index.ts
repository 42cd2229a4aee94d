export { tunnel } from './tunnel.ts'
