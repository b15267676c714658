// Hot path: walked for every request; allocates nothing. Guarded by bench/gateway-routing.

/** What is known at the end of one prefix, and the longer prefixes that begin with it. */
interface TreeNode<T> {
  /** What leads here from the node before. */
  label: string;
  /** In the order inserted; empty at a place where prefixes only part. */
  values: T[];
  /** By the first character of their label. */
  readonly children: Map<number, TreeNode<T>>;
}

/**
 * Path prefixes, found by walking along a path once (a radix tree). A prefix that ends in `/` matches every path that begins
 * with it; any other only up to the end of a segment: `/x` matches `/x` and `/x/y`, not `/xy`.
 */
export class PrefixTree<T> {
  readonly #root: TreeNode<T> = { label: '', values: [], children: new Map() };

  insert(prefix: string, value: T): void {
    let node = this.#root;
    let at = 0;
    while (at < prefix.length) {
      const code = prefix.charCodeAt(at);
      const next = node.children.get(code);
      if (next === undefined) {
        node.children.set(code, { label: prefix.slice(at), values: [value], children: new Map() });
        return;
      }
      const shared = sharedLength(next.label, prefix, at);
      if (shared < next.label.length) split(next, shared);
      node = next;
      at += shared;
    }
    node.values.push(value);
  }

  /** Calls `visit` with the values of every prefix that matches, shortest prefix first. */
  visitMatches(path: string, visit: (values: readonly T[]) => void): void {
    let node: TreeNode<T> | undefined = this.#root;
    let at = 0;
    for (;;) {
      if (node.values.length > 0 && endsSegment(path, at)) visit(node.values);
      if (at >= path.length) return;
      node = node.children.get(path.charCodeAt(at));
      if (node === undefined || !path.startsWith(node.label, at)) return;
      at += node.label.length;
    }
  }
}

/** Whether a prefix of `length` characters ends where a segment of `path` does. */
function endsSegment(path: string, length: number): boolean {
  return length === path.length || path.charCodeAt(length) === 0x2f || path.charCodeAt(length - 1) === 0x2f;
}

function sharedLength(label: string, prefix: string, from: number): number {
  const most = Math.min(label.length, prefix.length - from);
  let length = 0;
  while (length < most && label.charCodeAt(length) === prefix.charCodeAt(from + length)) length++;
  return length;
}

/** Cuts a node's label in two; what it held moves to the lower part. */
function split<T>(node: TreeNode<T>, at: number): void {
  const lower: TreeNode<T> = { label: node.label.slice(at), values: node.values, children: new Map(node.children) };
  node.label = node.label.slice(0, at);
  node.values = [];
  node.children.clear();
  node.children.set(lower.label.charCodeAt(0), lower);
}
