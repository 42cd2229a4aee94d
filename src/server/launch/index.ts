export { launch, type Launched, type LaunchOptions, type LaunchStep } from './launch.ts'
