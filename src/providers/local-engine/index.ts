export { localEngine, type LocalEngineParts, type SocketDoor } from './local-engine.ts'
