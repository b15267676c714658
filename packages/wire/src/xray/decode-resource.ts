import { Carrier } from '@clew/model';
import type { AttributeValue, KeyValue } from '@clew/model';
import { textOfValue } from './attribute-text.ts';
import { attributeOfJson } from './json-values.ts';
import { JsonObject, isJsonArray } from './json-tree.ts';
import { jsonPath, removeAt, textOf, valueAt } from './json-paths.ts';
import type { Json } from './json-tree.ts';
import { originPlatforms, resourceMembers } from './members.ts';
import { takeAttribute } from './take-attribute.ts';

/** `cloudwatch_logs` is a list of pairs; OpenTelemetry has a list of names and one of ARNs. */
export const LOGS_MEMBER = 'aws.cloudwatch_logs';
const logsPath = jsonPath(LOGS_MEMBER);

/** What a document says about where its spans were made. */
interface ResourceFacts {
  readonly attributes: Map<string, AttributeValue>;
  /** Members that became attributes. */
  readonly members: string[];
}

/**
 * Takes what belongs to the resource out of a document's root: the service's name, AWS metadata, SDK, version. Members whose attribute has
 * come from another member already stay where they are. `isSegment` is false when the document is a subsegment sent on its own, whose
 * `aws.account_id` is that of the resource it called.
 */
export function takeResource(root: JsonObject, name: string, isSegment: boolean): readonly KeyValue[] {
  const facts: ResourceFacts = { attributes: new Map([['service.name', name]]), members: [] };
  const origin = textOf(root.get('origin'));
  const sdk = textOf(valueAt(root, ['aws', 'xray', 'sdk']));
  if (root.get('aws') instanceof JsonObject || origin?.startsWith('AWS::') === true)
    facts.attributes.set('cloud.provider', 'aws');
  const platform = originPlatforms.find(([name]) => name === origin)?.[1];
  if (platform !== undefined) facts.attributes.set('cloud.platform', platform);
  const account = isSegment ? textOfValue(attributeOfJson(valueAt(root, ['aws', 'account_id']) ?? null)) : undefined;
  if (account !== undefined) facts.attributes.set('cloud.account.id', account);
  const language = sdk === undefined ? undefined : languageOfSdk(sdk);
  if (language !== undefined) facts.attributes.set('telemetry.sdk.language', language);
  for (const { path, name: member, key } of resourceMembers) {
    const value = facts.attributes.has(key) ? undefined : takeAttribute(root, path);
    if (value === undefined) continue;
    facts.attributes.set(key, value);
    facts.members.push(member);
  }
  takeLogGroups(root, facts);
  if (facts.members.length > 0) facts.attributes.set(Carrier.XRAY_MEMBERS, facts.members);
  return [...facts.attributes].map(([key, value]) => ({ key, value }));
}

function takeLogGroups(root: JsonObject, facts: ResourceFacts): void {
  const groups = logGroups(valueAt(root, logsPath));
  if (groups === undefined) return;
  facts.attributes.set('aws.log.group.names', groups.names);
  if (groups.arns.length > 0) facts.attributes.set('aws.log.group.arns', groups.arns);
  facts.members.push(LOGS_MEMBER);
  removeAt(root, logsPath);
}

/** Names and ARNs when the list has a name in every entry, an ARN in every or none, and nothing else. */
function logGroups(list: Json | undefined): { readonly names: string[]; readonly arns: string[] } | undefined {
  if (!isJsonArray(list) || list.length === 0) return undefined;
  const names: string[] = [];
  const arns: string[] = [];
  for (const entry of list) {
    if (!(entry instanceof JsonObject)) return undefined;
    const name = textOf(entry.get('log_group'));
    const arn = textOf(entry.get('arn'));
    if (name === undefined || entry.members.size !== (arn === undefined ? 1 : 2)) return undefined;
    names.push(name);
    if (arn !== undefined) arns.push(arn);
  }
  return arns.length === 0 || arns.length === names.length ? { names, arns } : undefined;
}

/** SDKs are called `X-Ray for Node.js`, `X-Ray SDK for Java`, `opentelemetry for go`. */
function languageOfSdk(sdk: string): string | undefined {
  const at = sdk.lastIndexOf(' for ');
  if (at < 0) return undefined;
  const language = sdk
    .slice(at + 5)
    .trim()
    .toLowerCase();
  return language === '' ? undefined : (languageNames.get(language) ?? language);
}

/** Names that OpenTelemetry's `telemetry.sdk.language` spells otherwise. */
const languageNames: ReadonlyMap<string, string> = new Map([
  ['node.js', 'nodejs'],
  ['.net', 'dotnet'],
  ['.net core', 'dotnet'],
  ['c++', 'cpp'],
]);
