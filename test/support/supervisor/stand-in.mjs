// Stands in for control or the edge: serves its pid on an inherited descriptor, if it is told which.
import { createServer } from 'node:http'

const descriptor = Number(process.argv[2] ?? 0)
if (descriptor > 0)
  createServer((_, response) => response.end(String(process.pid))).listen({ fd: descriptor })
else setInterval(() => undefined, 60_000)
