export { belongAsDirectory, parseJson, readIfThere, replaceFile } from './atomic-file.ts'
export { removeShortPlace } from './short-place.ts'
