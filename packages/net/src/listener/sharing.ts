/** How the listeners of this thread share their ports with those of other threads of the program. */
export interface PortSharing {
  /** Whether each port is first checked to be free: SO_REUSEPORT alone would silently join a stranger of the same user. */
  readonly checkFree: boolean;
  /** Whether this thread listens where only one can: on Unix sockets, and on ports of the system's choosing. */
  readonly ownsUnshareable: boolean;
}

let current: PortSharing | undefined;

/**
 * Lets every listener that this thread opens from now on share its port with other threads (SO_REUSEPORT), or not any more.
 * Whoever spreads receivers over threads calls it; receivers need not know.
 */
export function sharePorts(sharing: PortSharing | undefined): void {
  current = sharing;
}

/** How ports are shared now; undefined when they are not. */
export function portSharing(): PortSharing | undefined {
  return current;
}
