import type { ConfigProblem } from '../kdl/problem.ts';
import {
  checkAgentSockets,
  checkCertificates,
  checkListenerCertificates,
  checkNetwork,
  checkStaticFiles,
} from './checks.ts';
import type { ConnectProbe } from './checks.ts';
import { nodeConnectProbe } from './connect-probe.ts';
import type { ConfigIo } from './io.ts';
import { lintGatewayConfig } from './lint/lint.ts';
import { loadGatewayConfig } from './load.ts';
import type { LoadedConfig } from './load.ts';
import { checkReport, testReport } from './report.ts';
import type { CommandReport } from './report.ts';

/** What `validate` leaves out. */
export interface ValidateOptions {
  readonly skipNetwork?: boolean;
  readonly skipAgents?: boolean;
  readonly skipCerts?: boolean;
  /** How connections are tried; default: for real. */
  readonly connect?: ConnectProbe;
  /** The time certificates are judged at, in milliseconds since 1970; default: now. */
  readonly nowMs?: number;
}

/**
 * Loads a configuration and looks for the folders it serves and, unless told otherwise, for the certificates it shows: what has to be right
 * before a gateway starts.
 *
 * @returns a configuration only if there is no error.
 */
export async function prepareGatewayConfig(
  path: string,
  io: ConfigIo,
  { certificates = true }: { readonly certificates?: boolean } = {},
): Promise<LoadedConfig> {
  const loaded = await loadGatewayConfig({ path }, io);
  if (loaded.config === undefined) return loaded;
  const { config, ...rest } = loaded;
  const found = [...(await checkStaticFiles(config, io))];
  if (certificates) found.push(...(await checkListenerCertificates(config, io, Date.now())));
  const problems = [...rest.problems, ...found];
  return found.some(({ severity }) => severity === 'error') ? { ...rest, problems } : { ...rest, config, problems };
}

/** `--test`: whether a gateway would start with this file. */
export async function testCommand(path: string, io: ConfigIo): Promise<CommandReport> {
  return testReport(path, await prepareGatewayConfig(path, io));
}

/** `validate`: `--test`, and whether certificates can be read and targets and agents be reached. */
export async function validateCommand(
  path: string,
  io: ConfigIo,
  options: ValidateOptions = {},
): Promise<CommandReport> {
  const loaded = await prepareGatewayConfig(path, io, { certificates: false });
  if (loaded.config === undefined) return testReport(path, loaded);
  const { config } = loaded;
  const { skipNetwork = false, skipAgents = false, skipCerts = false } = options;
  const connect = options.connect ?? nodeConnectProbe;
  const found: ConfigProblem[] = [...loaded.problems];
  if (!skipCerts) found.push(...(await checkCertificates(config, io, options.nowMs ?? Date.now())));
  // Connecting to a socket tells more than looking at it.
  if (skipNetwork && !skipAgents) found.push(...(await checkAgentSockets(config, io, 'error')));
  if (!skipNetwork) found.push(...(await checkNetwork(config, connect, { agents: !skipAgents })));
  return checkReport(path, 'validate', found);
}

/** `lint`: what is allowed and probably not meant, or not wise. */
export async function lintCommand(path: string, io: ConfigIo): Promise<CommandReport> {
  const loaded = await prepareGatewayConfig(path, io, { certificates: false });
  if (loaded.config === undefined) return testReport(path, loaded);
  return checkReport(path, 'lint', [...loaded.problems, ...lintGatewayConfig(loaded.config)]);
}
