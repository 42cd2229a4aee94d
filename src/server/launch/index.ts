export { launch, type LaunchOptions, type LaunchStep } from './launch.ts'
export { attach, takeOver, type Launched, type TakeOver } from './running.ts'
