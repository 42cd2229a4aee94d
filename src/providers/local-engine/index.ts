export { localEngine, type LocalEngine, type LocalEngineParts, type SocketDoor } from './local-engine.ts'
