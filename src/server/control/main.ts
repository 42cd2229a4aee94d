import { composeControl } from '../composition/compose.ts'
import { programVersion } from '../launch/version.ts'
import { serveControl } from './serve.ts'

const version = programVersion()
await serveControl(version, (ground) => composeControl(ground, version))
