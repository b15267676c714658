import { isArray } from '@clew/model';
import { goDurationText } from '../go-text.ts';
import { attributeOf } from './span.ts';
import type { AdjustableSpan } from './span.ts';

interface Skew {
  readonly hostKey: string;
  readonly deltaNano: bigint;
}

interface Node {
  readonly span: AdjustableSpan;
  readonly children: Node[];
}

/**
 * Moves children of other hosts into their parents when clocks disagree. With a limit of 0 (the default) nothing moves, but the
 * warning says what would have: people distrust silent correction.
 *
 * @param maxDeltaNano largest shift applied, nanoseconds; 0 switches moving off
 */
export function adjustClockSkew(spans: AdjustableSpan[], maxDeltaNano: bigint): AdjustableSpan[] {
  for (const root of forest(spans)) {
    walk(root, { hostKey: hostKeyOf(root.span), deltaNano: 0n }, maxDeltaNano);
  }
  return spans;
}

/** Spans as trees. A repeated id stays out; a span whose parent is missing is a root. */
function forest(spans: readonly AdjustableSpan[]): Node[] {
  const nodes = new Map<string, Node>();
  for (const span of spans) {
    if (nodes.has(span.spanId)) span.warnings.push('duplicate span IDs; skipping clock skew adjustment');
    else nodes.set(span.spanId, { span, children: [] });
  }
  const roots: Node[] = [];
  for (const node of nodes.values()) {
    const { parentSpanId } = node.span;
    const parent = nodes.get(parentSpanId);
    if (parent !== undefined && parent !== node) parent.children.push(node);
    else roots.push(node);
    if (parentSpanId !== '' && parent === undefined) {
      node.span.warnings.push(`parent span ID=${parentSpanId} is not in the trace; skipping clock skew adjustment`);
    }
  }
  return roots;
}

/** Depth first with a stack of our own: traces can be deeper than the call stack. */
function walk(root: Node, rootSkew: Skew, maxDeltaNano: bigint): void {
  const pending: { node: Node; skew: Skew }[] = [{ node: root, skew: rootSkew }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, skew } = next;
    shift(node.span, skew.deltaNano, maxDeltaNano);
    for (const child of node.children) {
      const hostKey = hostKeyOf(child.span);
      const sameClock = hostKey !== '' && hostKey === skew.hostKey;
      pending.push({ node: child, skew: sameClock ? skew : { hostKey, deltaNano: deltaOf(node.span, child.span) } });
    }
  }
}

/** How far the child must move to lie within its (already adjusted) parent. */
function deltaOf(parent: AdjustableSpan, child: AdjustableSpan): bigint {
  const parentDuration = parent.endNano - parent.startNano;
  const childDuration = child.endNano - child.startNano;
  if (childDuration > parentDuration) {
    return child.startNano < parent.startNano ? parent.startNano - child.startNano : 0n;
  }
  if (child.startNano >= parent.startNano && child.endNano <= parent.endNano) return 0n;
  const latency = (parentDuration - childDuration) / 2n;
  return parent.startNano + latency - child.startNano;
}

function shift(span: AdjustableSpan, deltaNano: bigint, maxDeltaNano: bigint): void {
  if (deltaNano === 0n) return;
  const delta = goDurationText(deltaNano);
  if (maxDeltaNano === 0n) {
    span.warnings.push(`clock skew adjustment disabled; not applying calculated delta of ${delta}`);
    return;
  }
  if ((deltaNano < 0n ? -deltaNano : deltaNano) > maxDeltaNano) {
    const limit = goDurationText(maxDeltaNano);
    span.warnings.push(
      `max clock skew adjustment delta of ${limit} exceeded; not applying calculated delta of ${delta}`,
    );
    return;
  }
  span.startNano += deltaNano;
  span.endNano += deltaNano;
  for (const event of span.events) event.timeNano += deltaNano;
  span.warnings.push(`This span's timestamps were adjusted by ${delta}`);
}

/** Which clock a span was timed by: `host.id`, else `host.ip`, else `host.name`, else unknown. */
function hostKeyOf(span: AdjustableSpan): string {
  const { attributes } = span.resource;
  for (const key of ['host.id', 'host.ip', 'host.name']) {
    const value = attributeOf(attributes, key);
    if (typeof value === 'string' && value !== '') return value;
    if (key === 'host.ip' && value !== undefined && isArray(value) && typeof value[0] === 'string') return value[0];
  }
  return '';
}
