import type { GatewayAction } from '@clew/gateway';
import { reachable } from '../all-in-one/addresses.ts';
import type { Command, CommandInput, CommandIo } from '../cli/command.ts';
import { ClewError } from '../errors.ts';
import type { Companion } from '../program/run.ts';
import { version } from '../program/version.ts';

const actions = ['run', 'test', 'validate', 'lint'] as const satisfies readonly GatewayAction[];

/** `clew gateway`: a tracing reverse proxy configured in KDL. */
export const gatewayCommand: Command = {
  name: 'gateway',
  summary: 'Run a tracing reverse proxy as a KDL file says.',
  usage: 'gateway --config FILE.kdl [--test | validate | lint] [--skip-network] [--skip-agents] [--skip-certs]',
  description:
    'Exit codes: 0 all well, 1 the configuration cannot be used or requests had to be cut, 2 the gateway could not start.\n' +
    'SIGHUP loads the configuration again, SIGUSR1 opens log files anew, SIGTERM and SIGINT end it when requests are done.',
  options: {
    config: {
      type: 'string',
      short: 'c',
      value: 'FILE',
      help: 'The configuration (CLEW_GATEWAY_CONFIG, ZENTINEL_CONFIG).',
    },
    test: { type: 'boolean', short: 't', help: 'Only check whether the configuration can be used.' },
    'skip-network': { type: 'boolean', help: 'validate: do not connect to upstreams and agents.' },
    'skip-agents': { type: 'boolean', help: 'validate: do not connect to agents, nor look for their sockets.' },
    'skip-certs': { type: 'boolean', help: 'validate: do not read certificates.' },
  },
  examples: [
    'clew gateway --config gateway.kdl',
    'clew gateway --test --config gateway.kdl',
    'clew gateway validate --config gateway.kdl --skip-agents',
    'clew gateway lint --config gateway.kdl',
  ],
  positionals: { min: 0, max: 1 },
  async run(input, io) {
    const config = input.text('config');
    const call = {
      action: actionOf(input),
      ...(config === undefined ? {} : { config }),
      validate: {
        skipNetwork: input.flag('skip-network'),
        skipAgents: input.flag('skip-agents'),
        skipCerts: input.flag('skip-certs'),
      },
    };
    // Loaded when needed: all other commands start sooner without it.
    const { gatewayCommand: runGateway, nodeConfigIo } = await import('@clew/gateway');
    return runGateway(call, {
      io: { ...nodeConfigIo, env: io.env },
      version,
      stdout: (text) => void io.stdout.write(text),
      stderr: (text) => void io.stderr.write(text),
      signal: io.signal,
    });
  },
};

function actionOf(input: CommandInput): GatewayAction {
  const [word] = input.positionals;
  const action = actions.find((candidate) => candidate === word);
  if (word !== undefined && action === undefined) {
    throw new ClewError('usage', `"${word}" is unknown; it must be one of ${actions.join(', ')}`);
  }
  if (!input.flag('test')) return action ?? 'run';
  if (action === undefined || action === 'test') return 'test';
  throw new ClewError('usage', `--test and "${action}" are two different things; leave one of them out`);
}

/** A gateway that runs beside another program. */
export interface GatewayBeside extends Companion {
  /** URLs of its listeners, as somebody on this machine would open them. */
  readonly urls: readonly string[];
}

/**
 * Checks a gateway's configuration and returns what starts it beside another program; undefined without a file. Fails with
 * `start_failed`, whose message is the whole report.
 */
export async function gatewayBeside(
  path: string | undefined,
  io: CommandIo,
): Promise<(() => Promise<GatewayBeside>) | undefined> {
  if (path === undefined) return undefined;
  const { GatewayProgram, followSignals, nodeConfigIo, testCommand } = await import('@clew/gateway');
  const configIo = { ...nodeConfigIo, env: io.env };
  const report = await testCommand(path, configIo);
  if (report.exitCode !== 0) throw new ClewError('start_failed', report.text.trimEnd());
  return async () => {
    const stderr = (text: string): void => void io.stderr.write(text);
    const gateway = new GatewayProgram({ path, io: configIo, version, stderr });
    const endSignals = followSignals(gateway);
    try {
      await gateway.start();
    } catch (error) {
      endSignals();
      throw error;
    }
    return {
      urls: gateway.addresses.map(({ scheme, address }) => `${scheme}://${reachable(address)}`),
      async stop() {
        await gateway.stop();
        endSignals();
      },
    };
  };
}
