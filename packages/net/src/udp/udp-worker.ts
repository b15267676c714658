/** The thread that receives datagrams for all UDP sockets of the process. */
import { parentPort } from 'node:worker_threads';
import type { UdpMessage, UdpRequest } from './messages.ts';
import { WorkerSocket } from './worker-socket.ts';

const port = parentPort!;
const sockets = new Map<number, WorkerSocket>();

port.on('message', (request: UdpRequest) => {
  if (request.kind === 'open') {
    const socket = new WorkerSocket(request, post);
    sockets.set(request.id, socket);
    socket.open();
    return;
  }
  const socket = sockets.get(request.id);
  if (request.kind === 'taken') socket?.taken(request.packets, request.bytes);
  else socket?.close();
});

function post(message: UdpMessage, transfer: ArrayBuffer[] = []): void {
  if (message.kind === 'closed') sockets.delete(message.id);
  port.postMessage(message, transfer);
}
