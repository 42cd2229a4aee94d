export { openDoors, type Doors, type DoorSettings } from './doors.ts'
export { doorUrl } from './door-url.ts'
export { createMetrics, type Metrics } from './metrics.ts'
export { openApiDocument } from './open-api.ts'
