import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createAuthority } from '@clew/testkit';
import type { LaunchedClew } from '@clew/testkit';
import { parse } from 'yaml';
import { program, runClew, startProcess } from '../support/clew.ts';
import type { CommandOutcome } from '../support/clew.ts';
import type { Snippet } from './snippets.ts';

/** Where a page's blocks run: with a Clew, in a folder of their own. */
export interface Stage {
  readonly clew: LaunchedClew;
  readonly folder: string;
}

/** Runs a block in the way of its language; undefined when there is no way. */
export async function runSnippet(snippet: Snippet, stage: Stage): Promise<CommandOutcome | undefined> {
  const text = withPorts(snippet.text, stage.clew);
  mkdirSync(stage.folder, { recursive: true });
  if (snippet.file !== undefined) writeFileSync(join(stage.folder, snippet.file), text);
  switch (snippet.language) {
    case 'sh':
      return runShell(text, stage);
    case 'js':
      return runModule(text, stage);
    case 'yaml':
      return validate(text, stage);
    case 'kdl':
      return testGateway(text, snippet, stage);
    case 'promql':
    case 'json':
      return checkText(snippet.language, text);
    default:
      return undefined;
  }
}

const succeeded: CommandOutcome = { code: 0, signal: null, stdout: '', stderr: '' };

/** A reader has Clew on its usual ports; the Clew of the test has others. */
function withPorts(text: string, { ports }: LaunchedClew): string {
  return text
    .replace(/\blocalhost:16686\b/g, `127.0.0.1:${ports.query}`)
    .replace(/\blocalhost:4317\b/g, `127.0.0.1:${ports.grpc}`)
    .replace(/\blocalhost:4318\b/g, `127.0.0.1:${ports.http}`)
    .replace(/\blocalhost:9411\b/g, `127.0.0.1:${ports.zipkin}`)
    .replace(/\blocalhost:14268\b/g, `127.0.0.1:${ports.jaegerHttp}`)
    .replace(/\blocalhost:5778\b/g, `127.0.0.1:${ports.samplingHttp}`)
    .replace(
      /\bagentHost: 'localhost', agentPort: 6831\b/g,
      `agentHost: '127.0.0.1', agentPort: ${ports.jaegerCompact}`,
    );
}

/**
 * What a reader types, with the same effect where that is an effect on a running Clew. Programs that would run until somebody ends
 * them are taken for their configuration instead, which is what they could get wrong.
 */
function runShell(text: string, { clew, folder }: Stage): Promise<CommandOutcome> {
  const script = `set -euo pipefail
npm() {
  case "$1 \${2:-}" in
    "start ") ;; # It runs already.
    "start --") shift 2; case " $* " in *" --gateway "*) run_clew gateway --test --config "\${!#}" ;; *) run_clew validate "$@" ;; esac ;;
    "run clew") shift 3; clew "$@" ;;
    *) echo "no way to run: npm $*" >&2; return 1 ;;
  esac
}
clew() {
  case "$1" in
    gateway) case " $* " in *" --test "*|*" validate "*|*" lint "*) run_clew "$@" ;; *) run_clew "$@" --test ;; esac ;;
    collector) case " $* " in *" components "*) run_clew "$@" ;; *) run_clew "$@" validate ;; esac ;;
    demo) case " $* " in *" --burst "*|*" --case "*) run_clew "$@" ;; *) interrupted "$@" ;; esac ;;
    *) run_clew "$@" ;;
  esac
}
run_clew() { "$NODE" "$CLEW" "$@"; }
# As Ctrl-C would end it.
interrupted() { timeout --signal=INT --preserve-status 3 "$NODE" "$CLEW" "$@"; }
${gatewayFunctions}
${text}`;
  const env = {
    NODE: process.execPath,
    CLEW: program,
    CLEW_URL: clew.queryUrl,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${clew.ports.http}`,
  };
  return startProcess('bash', ['-c', script], { cwd: folder, env }).ended;
}

/**
 * What asks the gateway of the page gets one: that of the page's `gateway.kdl`, on ports of its own, until the block ends.
 */
const gatewayFunctions = `
gateway_ports=
free_ports() {
  "$NODE" -e 'const net = require("net"), all = [0, 0].map(() => net.createServer().listen(0, "127.0.0.1"));
    setImmediate(() => { console.log(all.map((server) => server.address().port).join(" ")); all.forEach((server) => server.close()); })'
}
with_gateway() {
  if [ -n "$gateway_ports" ]; then return; fi
  gateway_ports=$(free_ports)
  sed "s/0\\.0\\.0\\.0:8080/127.0.0.1:\${gateway_ports% *}/; s/0\\.0\\.0\\.0:9090/127.0.0.1:\${gateway_ports#* }/" gateway.kdl > running.kdl
  # Not by the function: the process to end must be the program itself, not a shell around it.
  "$NODE" "$CLEW" gateway --config running.kdl > gateway.log 2>&1 &
  gateway_pid=$!
  trap 'kill $gateway_pid; wait $gateway_pid || true' EXIT
  command curl --silent --output gateway.ready --retry 100 --retry-delay 1 --retry-all-errors --fail "http://127.0.0.1:\${gateway_ports#* }/ready"
}
curl() {
  case " $* " in *localhost:8080*|*localhost:9090*) with_gateway ;; esac
  local words=("\${@//localhost:8080/127.0.0.1:\${gateway_ports% *}}")
  command curl "\${words[@]//localhost:9090/127.0.0.1:\${gateway_ports#* }}"
}`;

/** A module that finds the packages of this repository. */
function runModule(text: string, { folder }: Stage): Promise<CommandOutcome> {
  const path = join(folder, 'snippet.mjs');
  writeFileSync(path, text);
  return startProcess(process.execPath, [path], { cwd: folder }).ended;
}

/** A whole collector configuration is checked as one; a part of one is checked over the built-in one. */
function validate(text: string, { folder }: Stage): Promise<CommandOutcome> {
  const path = join(folder, 'snippet.yaml');
  writeFileSync(path, text);
  const content = parse(text) as { service?: { pipelines?: unknown } };
  return runClew(content.service?.pipelines === undefined ? ['validate', '--config', path] : ['validate', path]);
}

/** What readers are told to write to a file is tested as it is; a part of a configuration with what every configuration needs. */
function testGateway(text: string, { file }: Snippet, { folder }: Stage): Promise<CommandOutcome> {
  const path = join(folder, 'snippet.kdl');
  const basics = file === undefined ? Object.entries(gatewayBasics) : [];
  const missing = basics.filter(([name]) => !new RegExp(`^${name} \\{`, 'm').test(text));
  const secured = withCertificates(text, folder);
  writeFileSync(path, [secured, ...missing.map(([, block]) => block)].join('\n'));
  return runClew(['gateway', '--test', '--config', path]);
}

/** Readers have the certificates their configuration names; the test makes some. */
function withCertificates(text: string, folder: string): string {
  const authority = createAuthority();
  return text.replace(
    /\bcert-file "([^"]+)"(.*\n\s*)key-file "([^"]+)"/g,
    (_pair, certFile: string, between: string, keyFile: string) => {
      const { cert, key } = authority.issue('localhost');
      const [certPath, keyPath] = [join(folder, basename(certFile)), join(folder, basename(keyFile))];
      writeFileSync(certPath, cert);
      writeFileSync(keyPath, key);
      return `cert-file "${certPath}"${between}key-file "${keyPath}"`;
    },
  );
}

const gatewayBasics = {
  system: 'system { worker-threads 1 }',
  listeners: 'listeners { listener "http" { address "127.0.0.1:8080" } }',
  routes: 'routes { route "health" { matches { path "/health" }; service-type "builtin"; builtin-handler "health" } }',
};

/** What is no program is read as what it is: JSON by its parser, queries by the names of metrics the gateway shows. */
function checkText(language: 'json' | 'promql', text: string): CommandOutcome {
  if (language === 'json') JSON.parse(text);
  else if (!/^rate\(otel_exporter_spans_(exported|failed)_total\[\w+\]\)$/m.test(text)) {
    return { ...succeeded, code: 1, stderr: 'no query for a metric of the gateway' };
  }
  return succeeded;
}
