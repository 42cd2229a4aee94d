export { belongAsDirectory, parseJson, readIfThere, replaceFile } from './atomic-file.ts'
