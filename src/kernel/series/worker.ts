import { parentPort, workerData } from 'node:worker_threads'
import { plainError } from '../std/index.ts'
import { openArchive, type Answers, type Archive, type Calls, type Requests } from './archive.ts'
import type { FromWorker, ToWorker, WorkerStart } from './link.ts'

const { path, maxBlocks } = workerData as WorkerStart

function answer(message: FromWorker): void {
  parentPort?.postMessage(message)
}

function serve(archive: Archive, { id, name, request }: ToWorker): void {
  try {
    answer({ id, answer: name === 'close' ? archive.close() : act(archive.calls, name, request) })
  } catch (error) {
    answer({ id, error: plainError(error) })
  }
}

function act<Name extends keyof Requests>(calls: Calls, name: Name, request: unknown): Answers[Name] {
  return calls[name](request as Requests[Name])
}

function run(): void {
  try {
    const archive = openArchive(path, maxBlocks)
    answer({ id: 0, answer: archive.known })
    parentPort?.on('message', (message: ToWorker) => serve(archive, message))
  } catch (error) {
    answer({ id: 0, error: plainError(error) })
  }
}

run()
