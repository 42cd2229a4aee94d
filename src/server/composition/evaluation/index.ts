export { evaluateFile } from './evaluate.ts'
