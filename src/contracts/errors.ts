/** Every error code of the house, what it means, and how it leaves: HTTP status and exit code. */
export interface ErrorEntry {
  readonly code: string
  /** One sentence for the reference. */
  readonly means: string
  /** HTTP status. */
  readonly status: number
  /** Exit code of the command line: 1 failed, 2 usage, 64-78 as in sysexits. */
  readonly exit: number
}

type Row = readonly [code: string, status: number, exit: number, means: string]

const entry = (...[code, status, exit, means]: Row): ErrorEntry => ({
  code,
  means,
  status,
  exit,
})

/** Exit code when a code is not listed. */
export const defaultExit = 70

/** The catalogue, sorted by code. */
export const errorCatalogue: readonly ErrorEntry[] = [
  entry('access.denied', 403, 77, 'The caller is known but its role does not permit the operation.'),
  entry('access.root-token-unreadable', 500, 74, 'The file with the root token holds something else.'),
  entry('access.token-exists', 409, 65, 'There is a token of that name already.'),
  entry('access.too-many-tokens', 409, 65, 'There are as many tokens as there may be.'),
  entry(
    'access.unauthenticated',
    401,
    77,
    'Nobody is signed in, or the token, session or link is not valid.',
  ),
  entry(
    'access.unknown-person',
    404,
    66,
    'The environment file names no such person, or a program asked for a link of its own.',
  ),
  entry('cli.file-exists', 409, 73, 'A file that a command is to write is there already.'),
  entry('cli.no-file', 404, 66, 'A file that a command is to read cannot be read.'),
  entry('cli.unknown-command', 404, 2, 'There is no command of these words.'),
  entry('cli.usage', 400, 2, 'The command line was not understood: a flag, an argument or its value.'),
  entry(
    'configuration.accepted-unreadable',
    500,
    78,
    'The environment that was accepted last cannot be read back from the data directory.',
  ),
  entry(
    'configuration.invalid',
    422,
    78,
    'The environment file has a wrong key or value; the path says where.',
  ),
  entry('configuration.missing', 404, 66, 'There is no environment file at the place that was named.'),
  entry(
    'configuration.needs-restart',
    409,
    78,
    'The change needs new sockets or threads: it counts at the next start, not at a reload.',
  ),
  entry(
    'configuration.unreadable',
    422,
    78,
    'The environment file could not be evaluated (a syntax error, say).',
  ),
  entry('control.body-too-large', 413, 65, 'The body of a request to control is larger than 1 MiB.'),
  entry('control.certificate-unreadable', 500, 78, 'The certificate or key of control cannot be read.'),
  entry('control.cross-origin', 403, 77, 'A request came from a page of another site.'),
  entry('control.port-in-use', 409, 73, 'Another program listens on the port of control.'),
  entry('control.stopping', 503, 75, 'Control is about to stop; it is back in a moment.'),
  entry('control.tls-required', 422, 78, 'Control is to listen beyond loopback without a certificate.'),
  entry('control.unknown-path', 404, 2, 'Control has nothing at that path.'),
  entry('control.unreachable', 503, 69, 'Control does not answer at its address.'),
  entry('control.unsupported-media-type', 415, 2, 'Control reads only JSON.'),
  entry(
    'control.wrong-host',
    421,
    77,
    'A request named a host that control does not go by (a DNS rebinding attempt, or a missing name in control.hosts).',
  ),
  entry('data.disk-full', 507, 74, 'There is no room left in the data directory.'),
  entry('data.not-ours', 409, 73, 'The directory that was named for data holds something else.'),
  entry('data.unwritable', 500, 74, 'The data directory cannot be written.'),
  entry(
    'edge.certificate-invalid',
    422,
    78,
    'A certificate or key file of the edge cannot be read or does not fit the other.',
  ),
  entry('edge.counters-unreachable', 503, 69, 'The store of the shared counters does not answer.'),
  entry(
    'edge.policy-refused',
    422,
    78,
    'The edge cannot take on a policy; it goes on with the one that it has.',
  ),
  entry(
    'edge.policy-unreadable',
    500,
    74,
    'The policy that the edge kept on disk is damaged; control sends a fresh one.',
  ),
  entry(
    'edge.settings-invalid',
    500,
    70,
    'The edge process was not started the way `holdfast up` starts it.',
  ),
  entry('edge.thread-ended', 503, 70, 'A thread of the edge ended while it was spoken to; it is replaced.'),
  entry('edge.unreachable', 503, 69, 'The edge process does not answer on its socket.'),
  entry('environment.not-ours', 409, 65, 'The service is only addressed, not run by Holdfast.'),
  entry('environment.service-unhealthy', 503, 69, 'A service did not get healthy in the time it was given.'),
  entry('environment.unknown-service', 404, 66, 'The environment has no service of that name.'),
  entry('jobs.cancelled', 409, 75, 'The job was cancelled before it was done.'),
  entry('jobs.gave-up', 500, 70, 'A job was begun five times and never came to an end.'),
  entry('jobs.idempotency-conflict', 409, 65, 'An idempotency key was used again for another input.'),
  entry('jobs.interrupted', 503, 75, 'Control stops in the middle of a job; the next start begins it again.'),
  entry('jobs.queue-full', 503, 75, 'So many jobs wait that no more are taken.'),
  entry('jobs.unknown', 404, 66, 'There is no job with that id.'),
  entry('kernel.assertion-failed', 500, 70, 'Holdfast broke one of its own rules; please report it.'),
  entry('kernel.unexpected', 500, 70, 'Something failed that Holdfast has no name for; please report it.'),
  entry('limit.buffer-mismatch', 500, 70, 'A limiter was to share a table that was made for other settings.'),
  entry('limit.refused', 429, 75, 'A limit refused the call; try again after the time it names.'),
  entry('limit.too-many', 422, 78, 'There are more limits than the table of limits has room for.'),
  entry('limit.unreadable', 422, 78, 'A limit is not written in the notation of limits.'),
  entry('limit.unsupported', 422, 78, 'A limit is of a kind that this version does not have yet.'),
  entry('operations.invalid-input', 400, 2, 'The input of an operation does not fit its schema.'),
  entry(
    'operations.invalid-output',
    500,
    70,
    'An operation answered something else than it declares; please report it.',
  ),
  entry(
    'operations.misdeclared',
    500,
    70,
    'Contracts and capabilities of this version disagree; please report it.',
  ),
  entry('operations.unknown', 404, 2, 'There is no operation of that name.'),
  entry('series.busy', 503, 75, 'Too many questions about measurements wait for the disk already.'),
  entry(
    'series.closed',
    500,
    70,
    'The store of measurements was used after it was closed; please report it.',
  ),
  entry(
    'series.corrupt',
    500,
    74,
    'The file of measurements is damaged; facts are not in it and are untouched.',
  ),
  entry('series.newer', 409, 78, 'The file of measurements was written by a newer Holdfast.'),
  entry(
    'series.unwritable',
    503,
    74,
    'Measurements cannot be written: no space, no permission or another Holdfast.',
  ),
  entry('supervisor.already-running', 409, 73, 'Another Holdfast holds the lock on this data directory.'),
  entry(
    'supervisor.cannot-listen',
    503,
    73,
    'An address cannot be listened on: no permission, or not one of this machine.',
  ),
  entry('supervisor.data-unwritable', 507, 73, 'The data directory or its lock cannot be written.'),
  entry(
    'supervisor.died',
    503,
    69,
    'The supervisor ended unexpectedly; services run on, and the next start adopts them.',
  ),
  entry('supervisor.duplicate-replica', 400, 2, 'The supervisor was told to run the same replica twice.'),
  entry(
    'supervisor.invalid-request',
    400,
    2,
    'The supervisor was asked for something that it does not understand.',
  ),
  entry('supervisor.no-free-port', 503, 69, 'No free port was found on this machine for a replica.'),
  entry(
    'supervisor.not-saved',
    507,
    74,
    'What shall run could not be saved (a full disk, say), so nothing was changed.',
  ),
  entry('supervisor.plan-invalid', 500, 70, 'The supervisor was started without a plan that it understands.'),
  entry(
    'supervisor.port-in-use',
    409,
    73,
    'Another program listens on a port that Holdfast is to listen on.',
  ),
  entry('supervisor.stopping', 503, 75, 'The supervisor is stopping and takes no more orders.'),
  entry('supervisor.unknown-replica', 404, 66, 'The supervisor has no replica of that name.'),
  entry('supervisor.unreachable', 503, 69, 'The supervisor does not answer on its socket.'),
  entry('timeline.closed', 500, 70, 'The timeline was used after it was closed; please report it.'),
  entry('timeline.corrupt', 500, 74, 'The timeline is damaged; it is never recreated silently.'),
  entry(
    'timeline.disk-failed',
    503,
    74,
    'The disk failed under the timeline; what was acknowledged before is there.',
  ),
  entry('timeline.disk-full', 503, 74, 'There is no space left for the timeline; it goes on when there is.'),
  entry('timeline.export-interrupted', 503, 75, 'Retention removed facts during an export; start it again.'),
  entry('timeline.fact-too-large', 500, 70, 'A fact has more data than one may have; please report it.'),
  entry(
    'timeline.fold-failed',
    500,
    70,
    'A view of the timeline could not take in a fact; please report it.',
  ),
  entry('timeline.full', 503, 75, 'Too many facts wait for the disk already.'),
  entry(
    'timeline.import-refused',
    422,
    65,
    'An import has an unreadable line or a broken link; nothing was imported.',
  ),
  entry(
    'timeline.importing',
    409,
    75,
    'An import into the timeline is under way; facts can be recorded when it has ended.',
  ),
  entry('timeline.invalid-fact', 500, 70, 'A fact does not fit its declaration; please report it.'),
  entry(
    'timeline.invalid-query',
    400,
    2,
    'A question to the timeline names a kind, range or number that cannot be.',
  ),
  entry('timeline.locked', 409, 73, 'Another process has the timeline open.'),
  entry('timeline.not-erasable', 409, 65, 'The fact decides who may come in and cannot be erased.'),
  entry('timeline.unwritable', 503, 74, 'The timeline cannot be created, opened or written.'),
]
