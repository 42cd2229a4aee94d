export { httpProbe } from './http-probe.ts'
