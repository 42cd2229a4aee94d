export { releaseFiles } from './release-files.ts'
export type { ReleaseLook } from './look-at-release.ts'
