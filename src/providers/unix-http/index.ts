export { requestOverSocket, type SocketAnswer, type SocketRequest } from './request-over-socket.ts'
