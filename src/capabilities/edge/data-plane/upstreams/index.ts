export { createOrigins, type Origins } from './origins.ts'
export { prepareUpstreams, type Upstreams } from './upstream.ts'
export { Target } from './target.ts'
