import type { AttributeValue } from '@clew/model';
import type { AttributeBag } from './attribute-bag.ts';
import { textOfValue, textsOfValue } from './attribute-text.ts';
import { JsonNumber, JsonObject } from './json-tree.ts';
import type { Json } from './json-tree.ts';
import { objectIn } from './json-paths.ts';
import { isAwsSdk } from './segment-name.ts';

/** Fills `aws`, `origin` and `service` of a segment. Spans of another cloud have no `aws`; their attributes stay metadata. */
export function translateAws(
  segment: JsonObject,
  bag: AttributeBag,
  resource: AttributeBag,
  logGroupNames: readonly string[],
): void {
  const service = present([
    ['version', resource.peekText('service.version')],
    ['compiler', resource.peekText('process.runtime.name')],
    ['compiler_version', resource.peekText('process.runtime.version')],
  ]);
  if (service !== undefined) segment.set('service', service);
  const provider = resource.peekText('cloud.provider');
  if (provider !== undefined && provider !== 'aws') return;
  const origin = originOf(resource);
  if (origin !== undefined) segment.set('origin', origin);
  const aws = objectIn(segment, 'aws');
  fillCall(aws, bag, resource);
  fillPlatform(aws, resource);
  const logs = logGroups(resource, logGroupNames);
  if (logs.length > 0) aws.set('cloudwatch_logs', logs);
  aws.set('xray', sdkOf(resource));
}

/** What the span called, from attributes of the span. */
function fillCall(aws: JsonObject, bag: AttributeBag, resource: AttributeBag): void {
  const operation = bag.take('aws.operation') ?? (isAwsSdk(bag) ? bag.take('rpc.method') : undefined);
  const tables = textsOfValue(bag.takeFirstOf('aws.dynamodb.table_names', 'aws.table_name', 'aws.table.name'));
  const queue = bag.takeFirstOf('messaging.url', 'aws.sqs.queue.url', 'aws.queue_url', 'aws.queue.url');
  setPresent(aws, [
    ['account_id', textOfValue(bag.take('aws.account_id')) ?? resource.peekText('cloud.account.id')],
    ['operation', textOfValue(operation)],
    ['region', textOfValue(bag.take('aws.region'))],
    ['request_id', textOfValue(bag.takeFirstOf('aws.request_id', 'aws.requestId'))],
    ['queue_url', textOfValue(queue)],
    ['table_name', tables.length === 1 ? tables[0] : undefined],
    ['table_names', tables.length > 1 ? tables : undefined],
  ]);
}

/** Where the span was made, from attributes of the resource. */
function fillPlatform(aws: JsonObject, resource: AttributeBag): void {
  const text = (key: string) => resource.peekText(key);
  const platform = text('cloud.platform');
  const section = (name: string, wanted: boolean, members: Members) => {
    const made = wanted ? present(members) : undefined;
    if (made !== undefined) aws.set(name, made);
  };
  section('ec2', platform === 'aws_ec2' || text('host.id') !== undefined, [
    ['instance_id', text('host.id')],
    ['availability_zone', text('cloud.availability_zone')],
    ['instance_size', text('host.type')],
    ['ami_id', text('host.image.id')],
  ]);
  section('ecs', platform === 'aws_ecs', [
    ['container', text('container.name')],
    ['container_id', text('container.id')],
    ['availability_zone', text('cloud.availability_zone')],
    ['container_arn', text('aws.ecs.container.arn')],
    ['cluster_arn', text('aws.ecs.cluster.arn')],
    ['task_arn', text('aws.ecs.task.arn')],
    ['task_family', text('aws.ecs.task.family')],
    ['launch_type', text('aws.ecs.launchtype')],
  ]);
  section('eks', platform === 'aws_eks' || text('k8s.cluster.name') !== undefined, [
    ['cluster_name', text('k8s.cluster.name')],
    ['pod', text('k8s.pod.name')],
    ['container_id', text('container.id')],
  ]);
  const deployment = textOfValue(resource.peek('service.instance.id'));
  section('elastic_beanstalk', platform === 'aws_elastic_beanstalk' && deployment !== undefined, [
    ['environment_name', text('service.namespace')],
    ['version_label', text('service.version')],
    ['deployment_id', new JsonNumber(/^\d{1,15}$/.test(deployment ?? '') ? String(Number(deployment)) : '0')],
  ]);
}

function originOf(resource: AttributeBag): string | undefined {
  switch (resource.peekText('cloud.platform')) {
    case 'aws_ec2':
      return 'AWS::EC2::Instance';
    case 'aws_ecs':
      return ecsOrigins.get(resource.peekText('aws.ecs.launchtype')?.toLowerCase() ?? '') ?? 'AWS::ECS::Container';
    case 'aws_eks':
      return 'AWS::EKS::Container';
    case 'aws_elastic_beanstalk':
      return 'AWS::ElasticBeanstalk::Environment';
    case 'aws_app_runner':
      return 'AWS::AppRunner::Service';
    default:
      return undefined;
  }
}

const ecsOrigins: ReadonlyMap<string, string> = new Map([
  ['ec2', 'AWS::ECS::EC2'],
  ['fargate', 'AWS::ECS::Fargate'],
]);

/** Log groups by ARN when the resource has them, else by name, else those configured. */
function logGroups(resource: AttributeBag, configured: readonly string[]): readonly JsonObject[] {
  const arns = separated(resource.peek('aws.log.group.arns'));
  if (arns.length > 0) {
    return arns.map(
      (arn) =>
        new JsonObject([
          ['log_group', groupOfArn(arn)],
          ['arn', arn],
        ]),
    );
  }
  const names = separated(resource.peek('aws.log.group.names'));
  return (names.length > 0 ? names : configured).map((name) => new JsonObject([['log_group', name]]));
}

/** A list, or a text as the environment gives it, with `&` between its parts. */
function separated(value: AttributeValue | undefined): readonly string[] {
  return textsOfValue(value).flatMap((text) => text.split('&').filter((part) => part !== ''));
}

/** `arn:aws:logs:region:account:log-group:NAME:*` */
function groupOfArn(arn: string): string {
  return arn.split(':')[6] ?? arn;
}

function sdkOf(resource: AttributeBag): JsonObject {
  const name = resource.peekText('telemetry.sdk.name');
  const language = resource.peekText('telemetry.sdk.language');
  const isAutomatic =
    resource.peek('telemetry.distro.version') !== undefined || resource.peek('telemetry.auto.version') !== undefined;
  const sdk = new JsonObject();
  setPresent(sdk, [
    ['sdk', name === undefined || language === undefined ? name : `${name} for ${language}`],
    ['sdk_version', resource.peekText('telemetry.sdk.version')],
    ['auto_instrumentation', isAutomatic],
  ]);
  return sdk;
}

type Members = readonly (readonly [name: string, value: Json | undefined])[];

/** An object of the members that are there; `undefined` when none is. */
export function present(members: Members): JsonObject | undefined {
  const object = new JsonObject();
  setPresent(object, members);
  return object.members.size === 0 ? undefined : object;
}

function setPresent(object: JsonObject, members: Members): void {
  for (const [name, value] of members) if (value !== undefined) object.set(name, value);
}
