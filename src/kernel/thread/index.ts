export { startChannel, type Calls, type Channel, type ChannelOptions } from './channel.ts'
export { serveChannel, type Begun, type Handlers, type Hearers } from './serve.ts'
