export { launch, type Launched, type LaunchOptions, type LaunchStep } from './launch.ts'
export { programVersion } from './version.ts'
