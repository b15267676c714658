import { toPlain } from '@clew/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeSegments } from './encode-segments.ts';
import { decodedBatch, decodedSpans, encodedDocuments, minimal } from './test/documents.ts';

const RUNS = { numRuns: 200 };

const scalar = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(
    'AWS::ECS::Fargate',
    'mysql://db:3306/orders',
    'jdbc:x://h/d?a=1',
    'https://a.example/',
    404,
    500,
    null,
  ),
);
const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 5, arbitrary: scalar },
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('a', 'b'), scalar, { maxKeys: 2 }),
);

/** An object some of whose members are of these, besides others nobody knows. */
function objectOf(members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> {
  const known = fc.record(members, { requiredKeys: [] });
  const unknown = fc.dictionary(fc.constantFrom('x', 'unknown', ...Object.keys(members)), value, { maxKeys: 2 });
  return fc.tuple(unknown, known).map(([odd, even]) => ({ ...even, ...odd }));
}

const hex = (digits: number) =>
  fc
    .array(fc.nat(15), { minLength: digits, maxLength: digits })
    .map((all) => all.map((digit) => digit.toString(16)).join(''));
const segmentId = hex(16).filter((id) => /[^0]/.test(id));
const traceId = fc.tuple(hex(8), hex(24)).map(([epoch, rest]) => `1-${epoch}-${rest}`);
const names = (...members: readonly string[]) => Object.fromEntries(members.map((name) => [name, scalar]));

const exception = objectOf({
  ...names('id', 'type', 'message', 'remote', 'truncated', 'skipped', 'cause'),
  stack: fc.array(objectOf(names('path', 'line', 'label')), { maxLength: 3 }),
});
const cause = fc.oneof(
  fc.string({ maxLength: 16 }),
  objectOf({
    working_directory: scalar,
    paths: fc.array(scalar, { maxLength: 2 }),
    exceptions: fc.array(exception, { maxLength: 3 }),
  }),
);
const aws = objectOf({
  ...names('account_id', 'operation', 'region', 'request_id', 'queue_url', 'table_name', 'retries', 'bucket_name'),
  table_names: fc.array(scalar, { maxLength: 2 }),
  ec2: objectOf(names('instance_id', 'availability_zone', 'instance_size', 'ami_id')),
  ecs: objectOf(names('container', 'container_id', 'task_arn', 'availability_zone', 'launch_type')),
  eks: objectOf(names('cluster_name', 'pod', 'container_id')),
  elastic_beanstalk: objectOf(names('environment_name', 'version_label', 'deployment_id')),
  xray: objectOf(names('sdk', 'sdk_version', 'auto_instrumentation', 'package')),
  cloudwatch_logs: fc.array(objectOf(names('log_group', 'arn')), { maxLength: 2 }),
});
const link = objectOf({ trace_id: traceId, id: segmentId, attributes: objectOf(names('a', 'b')) });
const annotationKeys = ['a', 'url.full', 'aws.xray.fault', 'aws.xray.annotations', 'db.namespace', 'aws.operation'];

const { parts } = fc.letrec<{ parts: object }>((tie) => ({
  parts: fc.record(
    {
      ...names(
        'in_progress',
        'user',
        'fault',
        'error',
        'throttle',
        'traced',
        'namespace',
        'origin',
        'resource_arn',
        'odd',
      ),
      type: fc.constantFrom('subsegment', 'SubSegment', 'segment', 5),
      parent_id: segmentId,
      end_time: fc.constantFrom(1478293361.449, 1, 0),
      http: objectOf({
        request: objectOf(names('method', 'url', 'user_agent', 'client_ip', 'x_forwarded_for', 'traced')),
        response: objectOf(names('status', 'content_length')),
      }),
      sql: objectOf(names('url', 'connection_string', 'sanitized_query', 'database_type', 'user', 'preparation')),
      service: objectOf(names('version', 'runtime', 'runtime_version', 'name')),
      annotations: fc.oneof(fc.dictionary(fc.constantFrom(...annotationKeys), value), scalar),
      metadata: fc.oneof(fc.dictionary(fc.constantFrom('default', 'debug'), fc.jsonValue()), scalar),
      precursor_ids: fc.array(scalar, { maxLength: 2 }),
      links: fc.oneof(fc.array(link, { maxLength: 2 }), scalar),
      cause,
      aws,
      subsegments: fc.array(
        fc.tuple(tie('parts'), segmentId).map(([more, id]) => ({ ...minimal({ trace_id: undefined }), ...more, id })),
        { maxLength: 2, depthIdentifier: 'segments' },
      ),
    },
    { requiredKeys: [] },
  ),
}));

/** Documents as SDKs send them, and as nobody should. */
export const documents: fc.Arbitrary<object> = parts.map((more) => ({ ...minimal(), ...more }));

describe('decoding what was encoded from what was decoded', () => {
  it('gives the same spans, whatever the document says and whatever does not fit its place', () => {
    fc.assert(
      fc.property(documents, (document) => {
        const first = decodedBatch(document);
        const again = decodedSpans(...encodeSegments(first));
        expect(again).toEqual(toPlain(first));
      }),
      RUNS,
    );
  });

  it('gives one document again that says everything the first one said', () => {
    fc.assert(
      fc.property(documents, (document) => {
        const sent = JSON.parse(JSON.stringify(document)) as object;
        const [again, ...others] = encodedDocuments(decodedBatch(document));
        expect(others).toEqual([]);
        expect(again).toMatchObject(meant(sent, false) as object);
      }),
      RUNS,
    );
  });
});

/** A document without what says nothing: `null`, empty lists and objects, an embedded subsegment's type, no end. */
function meant(sent: unknown, isEmbedded: boolean): unknown {
  if (Array.isArray(sent)) return sent.map((element) => meant(element, false));
  if (sent === null || typeof sent !== 'object') return sent;
  const kept = Object.entries(sent).flatMap(([name, member]: [string, unknown]): [string, unknown][] => {
    if (name === 'subsegments') return [[name, (member as unknown[]).map((segment) => meant(segment, true))]];
    if (name === 'metadata') return isEmpty(member) ? [] : [[name, member]];
    if (name === 'end_time' && member === 0) return [];
    if (name === 'cause' && member === '') return [];
    if (name === 'type' && isEmbedded && member === 'subsegment') return [];
    const inner = meant(member, false);
    return isEmpty(inner) ? [] : [[name, inner]];
  });
  return Object.fromEntries(kept.filter(([, member]) => !isEmpty(member)));
}

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}
