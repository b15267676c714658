import { jsonPath } from './json-paths.ts';
import type { JsonPath } from './json-paths.ts';

/**
 * Which member of a segment document is which attribute, for both directions. Values keep their type; what is not listed here is
 * either a field of the span or handled by name in `decode-*.ts` and `restore-*.ts`. Members are those of AWS's "X-Ray segment documents"
 * page and of the documents its SDKs send.
 */
export interface Member {
  readonly path: JsonPath;
  /** `path` with points. */
  readonly name: string;
  readonly key: string;
}

/** Members of any segment or subsegment ↔ attributes of its span. */
export const spanMembers: readonly Member[] = table({
  namespace: 'aws.xray.namespace',
  in_progress: 'aws.xray.inprogress',
  traced: 'aws.xray.traced',
  fault: 'aws.xray.fault',
  error: 'aws.xray.error',
  throttle: 'aws.xray.throttle',
  user: 'enduser.id',
  precursor_ids: 'aws.xray.precursor_ids',
  'http.request.method': 'http.request.method',
  'http.request.url': 'url.full',
  'http.request.user_agent': 'user_agent.original',
  'http.request.client_ip': 'client.address',
  'http.request.x_forwarded_for': 'aws.xray.x_forwarded_for',
  'http.request.traced': 'aws.xray.request_traced',
  'http.response.status': 'http.response.status_code',
  'http.response.content_length': 'http.response.body.size',
  'sql.database_type': 'db.system.name',
  'sql.sanitized_query': 'db.query.text',
  'sql.user': 'db.user',
  'sql.connection_string': 'aws.xray.sql.connection_string',
  'sql.database_version': 'aws.xray.sql.database_version',
  'sql.driver_version': 'aws.xray.sql.driver_version',
  'sql.preparation': 'aws.xray.sql.preparation',
  'cause.working_directory': 'aws.xray.cause.working_directory',
  'cause.paths': 'aws.xray.cause.paths',
  'aws.table_names': 'aws.dynamodb.table_names',
  'aws.retries': 'aws.xray.retries',
});

/**
 * Members of a document's root ↔ attributes of the resource. Several members can mean one attribute; the first that is there
 * becomes it.
 */
export const resourceMembers: readonly Member[] = table({
  origin: 'aws.xray.origin',
  resource_arn: 'aws.xray.resource_arn',
  'service.version': 'service.version',
  'service.name': 'aws.xray.service.name',
  'service.runtime': 'process.runtime.name',
  'service.runtime_version': 'process.runtime.version',
  'service.compiler': 'aws.xray.service.compiler',
  'service.compiler_version': 'aws.xray.service.compiler_version',
  'aws.xray.sdk': 'telemetry.sdk.name',
  'aws.xray.sdk_version': 'telemetry.sdk.version',
  'aws.xray.auto_instrumentation': 'aws.xray.auto_instrumentation',
  'aws.ecs.container': 'container.name',
  'aws.ecs.container_id': 'container.id',
  'aws.ecs.container_arn': 'aws.ecs.container.arn',
  'aws.ecs.cluster_arn': 'aws.ecs.cluster.arn',
  'aws.ecs.task_arn': 'aws.ecs.task.arn',
  'aws.ecs.task_family': 'aws.ecs.task.family',
  'aws.ecs.launch_type': 'aws.ecs.launchtype',
  'aws.ecs.availability_zone': 'cloud.availability_zone',
  'aws.eks.cluster_name': 'k8s.cluster.name',
  'aws.eks.pod': 'k8s.pod.name',
  'aws.eks.container_id': 'container.id',
  'aws.ec2.instance_id': 'host.id',
  'aws.ec2.availability_zone': 'cloud.availability_zone',
  'aws.ec2.instance_size': 'host.type',
  'aws.ec2.ami_id': 'host.image.id',
  'aws.elastic_beanstalk.environment_name': 'service.namespace',
  'aws.elastic_beanstalk.version_label': 'service.version',
  'aws.elastic_beanstalk.deployment_id': 'service.instance.id',
});

/** Members of an entry of `cause.exceptions` ↔ attributes of its `exception` event. */
export const exceptionMembers: readonly Member[] = table({
  id: 'aws.xray.exception.id',
  type: 'exception.type',
  message: 'exception.message',
  remote: 'aws.xray.exception.remote',
  truncated: 'aws.xray.exception.truncated',
  skipped: 'aws.xray.exception.skipped',
  cause: 'aws.xray.exception.cause',
});

/** Lists the keys of `annotations`, which are attributes under their own names. */
export const ANNOTATIONS_KEY = 'aws.xray.annotations';

/** Before the namespace: an attribute whose text is the namespace's JSON. */
export const METADATA_PREFIX = 'aws.xray.metadata.';

/** Simple members of `aws` that are not listed, such as `queue_url` or `bucket_name`, become attributes with their names. */
export const AWS_MEMBER_KEY: RegExp = /^aws\.([a-z0-9_]+)$/;

/** Attributes that decoding adds to a resource beside the members, which encoding does not turn back. */
export const derivedResourceKeys: ReadonlySet<string> = new Set([
  'service.name',
  'cloud.provider',
  'cloud.platform',
  'cloud.account.id',
  'telemetry.sdk.language',
]);

/** Origins ↔ `cloud.platform`; of origins with one platform the first is the usual. */
export const originPlatforms: readonly (readonly [origin: string, platform: string])[] = [
  ['AWS::EC2::Instance', 'aws_ec2'],
  ['AWS::ECS::Container', 'aws_ecs'],
  ['AWS::ECS::EC2', 'aws_ecs'],
  ['AWS::ECS::Fargate', 'aws_ecs'],
  ['AWS::EKS::Container', 'aws_eks'],
  ['AWS::ElasticBeanstalk::Environment', 'aws_elastic_beanstalk'],
  ['AWS::AppRunner::Service', 'aws_app_runner'],
  ['AWS::Lambda', 'aws_lambda'],
  ['AWS::Lambda::Function', 'aws_lambda'],
];

function table(members: Readonly<Record<string, string>>): readonly Member[] {
  return Object.entries(members).map(([name, key]) => ({ path: jsonPath(name), name, key }));
}
