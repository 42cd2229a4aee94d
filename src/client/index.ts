export {
  createClient,
  type AnyAnswer,
  type AnyOptions,
  type Client,
  type ClientOptions,
  type JobOptions,
  type NamesOf,
} from './client.ts'
export { ClientError, type Problem } from './error.ts'
