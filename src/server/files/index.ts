export { parseJson, readIfThere, replaceFile } from './atomic-file.ts'
