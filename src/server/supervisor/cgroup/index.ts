export type { Group, GroupLimits } from './group.ts'
export { machineCgroups, type Cgroups } from './cgroups.ts'
export { removeGroupFolder } from './remove-folder.ts'
