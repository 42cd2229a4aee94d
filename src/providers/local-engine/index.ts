export { localEngine, type LocalEngine, type LocalEngineParts } from './local-engine.ts'
