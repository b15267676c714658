import { X509Certificate, createPrivateKey } from 'node:crypto';
import { errorMessage } from '@clew/base';
import type { SourcePosition } from '../kdl/position.ts';
import type { ConfigProblem, ProblemCode } from '../kdl/problem.ts';
import type { ConfigIo, FileKind } from './io.ts';
import type { GatewayConfig } from './model.ts';
import type { ListenerConfig } from './model/listener.ts';
import type { ClientTlsConfig } from './model/upstream.ts';

const dayMs = 86_400_000;

/** Certificates with less left than this are worth a warning. */
const expiryWarningMs = 14 * dayMs;

/** How long one connection attempt of {@link checkNetwork} may take. */
export const connectTimeoutMs = 5000;

/** Opens a connection and closes it again; rejects with an `Error` that says why it could not. */
export type ConnectProbe = (
  target: { readonly host: string; readonly port: number } | { readonly socketPath: string },
  timeoutMs: number,
) => Promise<void>;

/** Folders of static files must be there: without one a route can only answer 404. */
export async function checkStaticFiles(config: GatewayConfig, io: ConfigIo): Promise<readonly ConfigProblem[]> {
  const checks = config.routes.map(async ({ id, position, destination }) => {
    if (destination.kind !== 'static') return undefined;
    const { root } = destination.files;
    const kind = await io.kindOf(root);
    if (kind === 'directory') return undefined;
    const what = kind === 'missing' ? 'does not exist' : 'is not a folder';
    return error(
      'missing_file',
      `route ${JSON.stringify(id)} static-files: root ${JSON.stringify(root)} ${what}`,
      position,
    );
  });
  return (await Promise.all(checks)).filter((problem) => problem !== undefined);
}

/** Agents' sockets; their absence passes, so it is a warning unless `severity` says otherwise. */
export async function checkAgentSockets(
  config: GatewayConfig,
  io: ConfigIo,
  severity: ConfigProblem['severity'] = 'warning',
): Promise<readonly ConfigProblem[]> {
  const checks = [...config.agents.values()].map(async ({ id, position, transport }) => {
    if (transport.kind !== 'unix') return undefined;
    const reason = socketProblem(await io.kindOf(transport.path));
    if (reason === undefined) return undefined;
    const message = `agent ${JSON.stringify(id)}: ${JSON.stringify(transport.path)} ${reason}`;
    return { severity, code: 'missing_file' as const, message, position };
  });
  return (await Promise.all(checks)).filter((problem) => problem !== undefined);
}

function socketProblem(kind: FileKind): string | undefined {
  if (kind === 'socket') return undefined;
  return kind === 'missing' ? 'does not exist; it is looked for again and again' : 'is not a socket';
}

/** Reads every certificate and key: they must be there, belong together and be valid at `nowMs`. */
export async function checkCertificates(
  config: GatewayConfig,
  io: ConfigIo,
  nowMs: number,
): Promise<readonly ConfigProblem[]> {
  const checker = new CertificateChecker(io, nowMs);
  for (const listener of config.listeners) await checker.listener(listener);
  for (const { id, position, tls } of config.upstreams.values()) {
    if (tls !== undefined) await checker.client(`upstream ${JSON.stringify(id)}`, tls, position);
  }
  for (const { id, position, transport } of config.agents.values()) {
    if (transport.kind === 'unix' || transport.tls === undefined) continue;
    await checker.client(`agent ${JSON.stringify(id)}`, transport.tls, position);
  }
  return checker.problems;
}

/** The certificates that listeners show: without them a gateway cannot start. With dates that are over it can, so those are warnings. */
export async function checkListenerCertificates(
  config: GatewayConfig,
  io: ConfigIo,
  nowMs: number,
): Promise<readonly ConfigProblem[]> {
  const checker = new CertificateChecker(io, nowMs, 'warning');
  for (const listener of config.listeners) await checker.listener(listener);
  return checker.problems;
}

class CertificateChecker {
  readonly problems: ConfigProblem[] = [];
  readonly #io: ConfigIo;
  readonly #nowMs: number;
  /** How bad it is that a certificate is not valid now. */
  readonly #datesSeverity: ConfigProblem['severity'];

  constructor(io: ConfigIo, nowMs: number, datesSeverity: ConfigProblem['severity'] = 'error') {
    this.#io = io;
    this.#nowMs = nowMs;
    this.#datesSeverity = datesSeverity;
  }

  async listener({ id, position, tls }: ListenerConfig): Promise<void> {
    if (tls === undefined) return;
    const subject = `listener ${JSON.stringify(id)}`;
    for (const { certFile, keyFile } of [tls, ...tls.sni]) await this.#pair(subject, certFile, keyFile, position);
    if (tls.caFile !== undefined) await this.#certificate(subject, tls.caFile, position);
    if (tls.sniCerts !== undefined && (await this.#io.kindOf(tls.sniCerts.certFolder)) !== 'directory') {
      const message = `${subject}: cert-folder ${JSON.stringify(tls.sniCerts.certFolder)} is not a folder`;
      this.problems.push(error('missing_file', message, position));
    }
  }

  async client(subject: string, tls: ClientTlsConfig, position: SourcePosition): Promise<void> {
    if (tls.caCertFile !== undefined) await this.#certificate(subject, tls.caCertFile, position);
    if (tls.clientCertFile === undefined || tls.clientKeyFile === undefined) return;
    await this.#pair(subject, tls.clientCertFile, tls.clientKeyFile, position);
  }

  async #pair(subject: string, certFile: string, keyFile: string, position: SourcePosition): Promise<void> {
    const certificate = await this.#certificate(subject, certFile, position);
    const keyText = await this.#read(subject, keyFile, position);
    if (certificate === undefined || keyText === undefined) return;
    try {
      if (certificate.checkPrivateKey(createPrivateKey(keyText))) return;
      const message = `${subject}: the key in ${keyFile} is not that of the certificate in ${certFile}`;
      this.problems.push(error('invalid_value', message, position));
    } catch (caught) {
      const message = `${subject}: ${keyFile} holds no usable private key: ${errorMessage(caught)}`;
      this.problems.push(error('invalid_value', message, position));
    }
  }

  async #certificate(subject: string, file: string, position: SourcePosition): Promise<X509Certificate | undefined> {
    const text = await this.#read(subject, file, position);
    if (text === undefined) return undefined;
    try {
      const certificate = new X509Certificate(text);
      this.#checkDates(subject, file, certificate, position);
      return certificate;
    } catch (caught) {
      const message = `${subject}: ${file} holds no certificate: ${errorMessage(caught)}`;
      this.problems.push(error('invalid_value', message, position));
      return undefined;
    }
  }

  #checkDates(subject: string, file: string, { validFrom, validTo }: X509Certificate, position: SourcePosition): void {
    const leftMs = Date.parse(validTo) - this.#nowMs;
    const name = `${subject}: the certificate in ${file}`;
    const severity = this.#datesSeverity;
    const code = 'invalid_value';
    if (Date.parse(validFrom) > this.#nowMs) {
      this.problems.push({ severity, code, message: `${name} is not valid before ${validFrom}`, position });
    } else if (leftMs <= 0) {
      this.problems.push({ severity, code, message: `${name} has expired (${validTo})`, position });
    } else if (leftMs < expiryWarningMs) {
      const message = `${name} expires in ${Math.floor(leftMs / dayMs)} days (${validTo})`;
      this.problems.push({ severity: 'warning', code, message, position });
    }
  }

  async #read(subject: string, file: string, position: SourcePosition): Promise<string | undefined> {
    try {
      return await this.#io.readFile(file);
    } catch (caught) {
      this.problems.push(error('missing_file', `${subject}: cannot read ${file}: ${errorMessage(caught)}`, position));
      return undefined;
    }
  }
}

/** Connects to every target and agent, all at once. */
export async function checkNetwork(
  config: GatewayConfig,
  connect: ConnectProbe,
  { upstreams = true, agents = true }: { readonly upstreams?: boolean; readonly agents?: boolean } = {},
): Promise<readonly ConfigProblem[]> {
  const attempts: Promise<ConfigProblem | undefined>[] = [];
  const attempt = async (
    subject: string,
    shown: string,
    target: Parameters<ConnectProbe>[0],
    position: SourcePosition,
  ): Promise<ConfigProblem | undefined> => {
    try {
      await connect(target, connectTimeoutMs);
      return undefined;
    } catch (caught) {
      return error('unreachable', `${subject}: cannot connect to ${shown}: ${errorMessage(caught)}`, position);
    }
  };
  for (const { id, position, targets } of upstreams ? config.upstreams.values() : []) {
    for (const { host, port } of targets) {
      attempts.push(attempt(`upstream ${JSON.stringify(id)}`, `${host}:${port}`, { host, port }, position));
    }
  }
  for (const { id, position, transport } of agents ? config.agents.values() : []) {
    const target = transport.kind === 'unix' ? { socketPath: transport.path } : grpcTarget(transport.address);
    const shown = transport.kind === 'unix' ? transport.path : transport.address;
    attempts.push(attempt(`agent ${JSON.stringify(id)}`, shown, target, position));
  }
  return (await Promise.all(attempts)).filter((problem) => problem !== undefined);
}

/** Host and port of `host:port` or a URL; both forms were checked when the configuration was read. */
function grpcTarget(address: string): { readonly host: string; readonly port: number } {
  const url = new URL(address.includes('://') ? address : `http://${address}`);
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

function error(code: ProblemCode, message: string, position: SourcePosition): ConfigProblem {
  return { severity: 'error', code, message, position };
}
