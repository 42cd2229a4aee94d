export { runEdge, type EdgeProcess, type EdgeProcessOptions } from './edge-process.ts'
export { readSettings, type Settings } from './settings.ts'
