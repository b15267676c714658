import type { DemoRequest, DemoState } from '@clew/api';
import type { GraphSnapshot } from '@clew/pipeline';

/** What the query server shows of the program it runs in; the command line provides it. */
export interface ProgramView {
  readonly version: string;
  readonly startedUnixMs: number;
  /** All metrics of this process in the Prometheus text format. */
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** The pipelines as they run, or undefined before the start. */
  graph(): GraphSnapshot | undefined;
  /** The effective configuration as YAML, secrets left out; with `origins`, each value says where it came from. */
  configuration(options: { readonly origins: boolean }): string;
  /** The built page; undefined when Clew runs without one. */
  readonly page?: PageContent;
  readonly demo?: DemoControl;
}

/** The built page as files. */
export interface PageContent {
  /** The document for every address of the page, for a base path. */
  index(basePath: string): Promise<string>;
  readonly files: readonly PageFile[];
  readonly contentSecurityPolicy: string;
}

/** One file of the page. */
export interface PageFile {
  /** Below the base path, without a leading slash. */
  readonly path: string;
  readonly file: string;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly etag: string;
  readonly encodings: Readonly<Partial<Record<'br' | 'gzip', string>>>;
}

/** The demo generator. */
export interface DemoControl {
  state(): DemoState;
  start(request: DemoRequest): Promise<DemoState>;
  stop(): DemoState;
}
