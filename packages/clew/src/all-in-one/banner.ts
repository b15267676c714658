import type { Acknowledgement } from '@clew/pipeline';

/** What the start banner says. */
export interface BannerFacts {
  readonly version: string;
  readonly listenHost: string;
  readonly dataDirectory: string;
  readonly startedInMs: number;
  readonly acknowledgements: readonly Acknowledgement[];
  readonly warnings: readonly string[];
}

/** Where to send, where to look, where data lies, and what acknowledged means. */
export function banner(facts: BannerFacts): string {
  const host = facts.listenHost.includes(':') ? `[${facts.listenHost}]` : facts.listenHost;
  const shown = ['0.0.0.0', '[::]'].includes(host) ? 'localhost' : host;
  const rows: [string, string][] = [
    ['Look', `http://${shown}:16686`],
    ['Send', `OTLP  http://${shown}:4318 (HTTP)  ${shown}:4317 (gRPC); each answers both`],
    ['Data', facts.dataDirectory],
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
