export { waitControl, waitHealthy, waitServed, type Answering, type Rising } from './bring-up.ts'
