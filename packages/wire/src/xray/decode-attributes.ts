import type { AttributeValue, KeyValue } from '@clew/model';
import { addRest } from './decode-cause.ts';
import { jsonText } from './json-print.ts';
import { JsonObject } from './json-tree.ts';
import { removeAt, textOf, valueAt } from './json-paths.ts';
import { ANNOTATIONS_KEY, AWS_MEMBER_KEY, METADATA_PREFIX, spanMembers } from './members.ts';
import { joinSqlUrl, splitSqlUrl } from './sql-url.ts';
import { takeAttribute, takeAttributes } from './take-attribute.ts';

/** Members that {@link spanMembers} lists, and the keys they have, which other members of `aws` must not take. */
const listed: ReadonlySet<string> = new Set(spanMembers.flatMap(({ name, key }) => [name, key]));

/**
 * Takes everything that becomes attributes of a span out of its segment, and keeps what is then left as a carrier attribute.
 * `failed` tells whether the segment says that something went wrong: one of its flags, or an HTTP status of 400 and above.
 */
export function spanAttributes(segment: JsonObject): {
  readonly attributes: readonly KeyValue[];
  readonly failed: boolean;
} {
  const attributes: KeyValue[] = [];
  const add = (key: string, value: AttributeValue) => void attributes.push({ key, value });
  const failed = takeListed(segment, add);
  takeSqlUrl(segment, add);
  takeAwsMembers(segment, add);
  takeMetadata(segment, add);
  takeAnnotations(segment, add);
  addRest(attributes, segment);
  return { attributes, failed };
}

type Add = (key: string, value: AttributeValue) => void;

const flagKeys: ReadonlySet<string> = new Set(['aws.xray.fault', 'aws.xray.error', 'aws.xray.throttle']);

function takeListed(segment: JsonObject, add: Add): boolean {
  let failed = false;
  for (const { path, key } of spanMembers) {
    const value = takeAttribute(segment, path);
    if (value === undefined) continue;
    add(key, value);
    failed ||= flagKeys.has(key) ? value === true : key === 'http.response.status_code' && isFailureStatus(value);
  }
  return failed;
}

function isFailureStatus(status: AttributeValue): boolean {
  return (typeof status === 'bigint' || typeof status === 'number') && status >= 400;
}

const sqlUrlPath = ['sql', 'url'] as const;

/** The database's address without its name is `db.connection_string`, the name `db.namespace`. */
function takeSqlUrl(segment: JsonObject, add: Add): void {
  const url = textOf(valueAt(segment, sqlUrlPath));
  if (url === undefined) return;
  const { connection, database } = splitSqlUrl(url);
  add('db.connection_string', connection);
  if (database !== undefined) add('db.namespace', database);
  if (joinSqlUrl(connection, database) === url) removeAt(segment, sqlUrlPath);
}

function takeAwsMembers(segment: JsonObject, add: Add): void {
  const aws = segment.get('aws');
  if (!(aws instanceof JsonObject)) return;
  for (const name of aws.members.keys()) {
    const key = `aws.${name}`;
    const value = AWS_MEMBER_KEY.test(key) && !listed.has(key) ? takeAttribute(aws, [name]) : undefined;
    if (value !== undefined) add(key, value);
  }
}

function takeMetadata(segment: JsonObject, add: Add): void {
  const metadata = segment.get('metadata');
  if (!(metadata instanceof JsonObject)) return;
  segment.members.delete('metadata');
  for (const [namespace, value] of metadata.members) add(METADATA_PREFIX + namespace, jsonText(value));
}

/** Annotations are attributes under their own names; a list of the names tells which they were. */
function takeAnnotations(segment: JsonObject, add: Add): void {
  const taken: [string, AttributeValue][] = [];
  takeAttributes(segment.get('annotations'), (key, value) => taken.push([key, value]));
  if (taken.length === 0) return;
  add(
    ANNOTATIONS_KEY,
    taken.map(([key]) => key),
  );
  for (const [key, value] of taken) add(key, value);
}
