// Hot path: hands text to the system. Guarded by bench/gateway.
//
// A stream keeps books about every write, for what may have to wait; what the system takes at once, which is nearly everything, needs
// none. So text goes to the system's own handle of a connection whenever its stream has nothing in hand. Node documents no way to that
// handle: without the undocumented one, for TLS, and while something waits, streams write as usual.
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { getSystemErrorName } from 'node:util';

/** What Node gives a write that has to wait, to tell its end. */
interface WriteRequest {
  oncomplete: (status: number) => void;
}

/** What lies below a socket. */
interface TextHandle {
  /** Returns 0, or the negative number of an error. */
  writeLatin1String(request: WriteRequest, text: string): number;
  /** Bytes that the system has not taken yet. */
  readonly writeQueueSize: number;
}

function isTextHandle(handle: unknown): handle is TextHandle {
  return typeof handle === 'object' && handle !== null && 'writeLatin1String' in handle && 'writeQueueSize' in handle;
}

/** Learns what Node's own writes are made of, by having one written to nowhere. */
function writeRequestClass(): (new () => WriteRequest) | undefined {
  let found: (new () => WriteRequest) | undefined;
  const nowhere = {
    writeLatin1String(request: WriteRequest): number {
      found = request.constructor as new () => WriteRequest;
      return 0;
    },
    writeQueueSize: 0,
    getAsyncId: () => 0,
    close: (closed: () => void) => closed(),
  };
  try {
    const socket = new Socket({ handle: nowhere as never, readable: false, writable: true });
    // What it says of the end of a connection that never was is of no interest.
    socket.on('error', () => {});
    socket.write('x', 'latin1');
    socket.destroy();
  } catch {
    return undefined; // Another Node, other insides: streams write.
  }
  return found;
}

const Request = writeRequestClass();

/** Serves all writes that are done at once; who has to wait keeps it and leaves another. */
let spare = Request === undefined ? undefined : new Request();

/** Text of one connection. */
export class DirectText {
  readonly #socket: Socket;
  readonly #handle: TextHandle | undefined;
  #waiting = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    const handle: unknown = socket instanceof TLSSocket ? undefined : Reflect.get(socket, '_handle');
    if (spare !== undefined && isTextHandle(handle)) this.#handle = handle;
  }

  /** Some of the last text has not been taken by the system yet; the socket will say `drain`. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Writes text of one byte a character, unless that is the stream's business: then it returns false, and nothing was done. */
  write(text: string): boolean {
    const socket = this.#socket;
    const handle = this.#handle;
    if (handle === undefined || this.#waiting || socket.writableLength > 0 || !socket.writable || socket.connecting) {
      return false;
    }
    const request = spare!;
    const status = handle.writeLatin1String(request, text);
    if (status < 0) socket.destroy(writeError(status));
    else if (handle.writeQueueSize > 0) this.#wait(request);
    return true;
  }

  #wait(request: WriteRequest): void {
    spare = new Request!();
    this.#waiting = true;
    request.oncomplete = (status) => {
      this.#waiting = false;
      const socket = this.#socket;
      if (socket.destroyed) return;
      if (status < 0) socket.destroy(writeError(status));
      // What the stream was given meanwhile is behind this, and says so itself if it is much.
      else if (!socket.writableNeedDrain) socket.emit('drain');
    };
  }
}

function writeError(status: number): Error {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`write ${code}`), { code, errno: status, syscall: 'write' });
}
