import type { Acknowledgement } from '@clew/pipeline';
import type { Addresses } from './addresses.ts';

/** What the start banner says. */
export interface BannerFacts {
  readonly version: string;
  readonly addresses: Addresses;
  /** URLs of the listeners of a gateway that runs beside it. */
  readonly gateway?: readonly string[];
  readonly startedInMs: number;
  readonly acknowledgements: readonly Acknowledgement[];
  readonly warnings: readonly string[];
}

/** Where to send, where to look, where a gateway is asked, where data lies, and what acknowledged means. */
export function banner(facts: BannerFacts): string {
  const { addresses, gateway = [] } = facts;
  const { query, dataDirectory } = addresses;
  const rows: [string, string][] = [
    ...(query === undefined ? [] : [['Look', `http://${query}`] as [string, string]]),
    ...sendRows(addresses),
    ...gateway.map((url): [string, string] => ['Gateway', url]),
    ...(dataDirectory === undefined ? [] : [['Data', dataDirectory] as [string, string]]),
    ...facts.acknowledgements.map(({ receiver, text }): [string, string] => ['Promise', `${receiver}: ${text}`]),
    ...facts.warnings.map((warning): [string, string] => ['Warning', warning]),
  ];
  const lines = rows.map(([label, text]) => `  ${label.padEnd(9)}${text}`);
  const seconds = (facts.startedInMs / 1000).toFixed(1);
  return [
    `Clew ${facts.version} is ready (${seconds} s). Ctrl-C stops it.`,
    '',
    ...lines,
    '',
    '  No spans yet? clew demo sends some, and the page shows how to send yours.',
    '',
  ].join('\n');
}

function sendRows(addresses: Addresses): [string, string][] {
  return [otlpRow(addresses), jaegerRow(addresses), zipkinRow(addresses)]
    .filter((text) => text !== undefined)
    .map((text): [string, string] => ['Send', text]);
}

function otlpRow({ otlpHttp, otlpGrpc }: Addresses): string | undefined {
  const ways = [
    ...(otlpHttp === undefined ? [] : [`http://${otlpHttp} (HTTP)`]),
    ...(otlpGrpc === undefined ? [] : [`${otlpGrpc} (gRPC)`]),
  ];
  if (ways.length === 0) return undefined;
  return `OTLP    ${ways.join('  ')}; ${ways.length === 1 ? 'it' : 'each'} answers both`;
}

function jaegerRow({ jaegerHttp, jaegerGrpc, jaegerUdp = [] }: Addresses): string | undefined {
  const ports = jaegerUdp.map((address) => address.slice(address.lastIndexOf(':') + 1));
  const ways = [
    ...(jaegerHttp === undefined ? [] : [`http://${jaegerHttp}/api/traces (HTTP)`]),
    ...(jaegerGrpc === undefined ? [] : [`${jaegerGrpc} (gRPC)`]),
    ...(ports.length === 0 ? [] : [`${ports.join(', ')} (UDP)`]),
  ];
  return ways.length === 0 ? undefined : `Jaeger  ${ways.join('  ')}`;
}

function zipkinRow({ zipkin }: Addresses): string | undefined {
  return zipkin === undefined ? undefined : `Zipkin  http://${zipkin}/api/v2/spans`;
}
