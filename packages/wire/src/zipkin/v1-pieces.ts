import { SpanKind, StringTable, ValueType, equalBytes } from '@clew/model';
import { compareMicros, isAbsent, setDifference, setSum } from './micros.ts';
import type { Micros } from './micros.ts';
import { isText } from './special-tags.ts';
import type { V1Annotation, V1BinaryAnnotation, V1Endpoint, V1Span } from './v1-span.ts';

/** A v2 span in the making: what one service said within a v1 span. */
export class V1Piece {
  kind: SpanKind = SpanKind.UNSPECIFIED;
  local: V1Endpoint | undefined;
  remote: V1Endpoint | undefined;
  /** Whether the remote endpoint's service name does not count. */
  dropsRemoteService = false;
  isShared = false;
  readonly timestamp: Micros = { lo: 0, hi: 0 };
  readonly duration: Micros = { lo: 0, hi: 0 };
  readonly annotations: V1Annotation[] = [];
  readonly binaries: V1BinaryAnnotation[] = [];

  clear(): void {
    this.kind = SpanKind.UNSPECIFIED;
    this.local = undefined;
    this.remote = undefined;
    this.dropsRemoteService = false;
    this.isShared = false;
    this.timestamp.lo = this.timestamp.hi = 0;
    this.duration.lo = this.duration.hi = 0;
    this.annotations.length = 0;
    this.binaries.length = 0;
  }
}

/** Core annotations say when a side of a call or message began and ended. */
const CORE = ['cs', 'cr', 'sr', 'ss', 'ms', 'ws', 'wr', 'mr'] as const;
type Core = (typeof CORE)[number];

/** The kind of the span a core annotation is of; `ws` and `wr` only add a time to `ms` and `mr`. */
const KIND_OF_CORE: Readonly<Record<Core, SpanKind>> = {
  cs: SpanKind.CLIENT,
  cr: SpanKind.CLIENT,
  sr: SpanKind.SERVER,
  ss: SpanKind.SERVER,
  ms: SpanKind.PRODUCER,
  mr: SpanKind.CONSUMER,
  ws: SpanKind.UNSPECIFIED,
  wr: SpanKind.UNSPECIFIED,
};

/** Pieces kept from one request to the next. */
const KEEP_PIECES = 16;

/** A core annotation that was found, and the piece it belongs to. */
interface Found {
  readonly time: Micros;
  readonly endpoint: V1Endpoint | undefined;
  /** Absent when the annotation was not sent but follows from others. */
  readonly annotation: V1Annotation | undefined;
  piece: V1Piece;
  /** Whether it became a time of its piece. */
  isUsed: boolean;
}

/**
 * Takes a v1 span apart into the v2 spans it stands for, as Zipkin's server does. A v1 span holds what client and server said
 * about one call, a v2 span what one of them said: annotations go to the piece of their endpoint's service, and those without
 * endpoint to the first piece.
 *
 * Core annotations become the kind and the times of their piece; one that does not, such as an end without a start, stays
 * an annotation.
 */
export class V1Pieces {
  /** The pieces are `items[0, count)`. */
  readonly items: V1Piece[] = [];
  count = 0;
  readonly #found = new Map<Core, Found>();
  /** Names of services, and by their index the piece of each. */
  #services = new StringTable();
  #pieceOfService: V1Piece[] = [];
  #span!: V1Span;
  #serverAddress: V1Endpoint | undefined;
  #clientAddress: V1Endpoint | undefined;
  #messageAddress: V1Endpoint | undefined;

  /** Fills `items`, which hold on to objects of `span`. */
  split(span: V1Span): void {
    this.#span = span;
    this.count = 0;
    this.#found.clear();
    this.#services.clear();
    this.#pieceOfService.length = 0;
    this.#serverAddress = this.#clientAddress = this.#messageAddress = undefined;
    this.#add(undefined);
    for (let at = 0; at < span.annotationCount; at++) this.#annotation(span.annotation(at));
    for (let at = 0; at < span.binaryCount; at++) this.#binary(span.binary(at));
    this.#infer('cs', 'cr');
    this.#infer('sr', 'ss');
    this.#call();
    this.#message();
    this.#remotes();
    for (const { annotation, isUsed, piece } of this.#found.values()) {
      if (annotation !== undefined && !isUsed) piece.annotations.push(annotation);
    }
    for (let at = 0; at < this.count; at++) this.#timeByAnnotations(this.items[at]!);
  }

  /** Lets go of the span's objects. */
  release(): void {
    this.#found.clear();
    this.#pieceOfService.length = 0;
    if (this.items.length > KEEP_PIECES) {
      this.items.length = KEEP_PIECES;
      this.#services = new StringTable();
    }
    for (const piece of this.items) piece.clear();
  }

  #add(local: V1Endpoint | undefined): V1Piece {
    const piece = (this.items[this.count++] ??= new V1Piece());
    piece.clear();
    piece.local = local;
    return piece;
  }

  /** The piece of an endpoint's service: of the first piece, when that has no endpoint yet. */
  #pieceOf(endpoint: V1Endpoint | undefined): V1Piece {
    const first = this.items[0]!;
    if (endpoint === undefined) return first;
    const { source } = this.#span;
    const service = this.#services.intern(source, endpoint.service.start, endpoint.service.end);
    const known = this.#pieceOfService[service];
    if (known !== undefined) return known;
    let piece = first;
    if (first.local === undefined) first.local = endpoint;
    else piece = this.#add(endpoint);
    return (this.#pieceOfService[service] = piece);
  }

  #sameService(a: V1Endpoint | undefined, b: V1Endpoint | undefined): boolean {
    if (a === undefined || b === undefined) return a === b;
    const length = a.service.end - a.service.start;
    const { source } = this.#span;
    return (
      length === b.service.end - b.service.start && equalBytes(source, a.service.start, source, b.service.start, length)
    );
  }

  #annotation(annotation: V1Annotation): void {
    const piece = this.#pieceOf(annotation.endpoint);
    const core = this.#coreOf(annotation);
    if (core === undefined || this.#found.has(core)) {
      piece.annotations.push(annotation);
      return;
    }
    const kind = KIND_OF_CORE[core];
    if (kind !== SpanKind.UNSPECIFIED) piece.kind = kind;
    this.#found.set(core, { time: annotation.time, endpoint: annotation.endpoint, annotation, piece, isUsed: false });
  }

  #coreOf({ value }: V1Annotation): Core | undefined {
    if (value.end - value.start !== 2) return undefined;
    const { source } = this.#span;
    return CORE.find((core) => isText(source, value.start, 2, core));
  }

  #binary(binary: V1BinaryAnnotation): void {
    const { source } = this.#span;
    const { key, endpoint } = binary;
    const length = key.end - key.start;
    if (length === 2 && endpoint !== undefined && this.#isTrue(binary)) {
      if (isText(source, key.start, 2, 'sa')) {
        this.#serverAddress = endpoint;
        return;
      }
      if (isText(source, key.start, 2, 'ca')) {
        this.#clientAddress = endpoint;
        return;
      }
      if (isText(source, key.start, 2, 'ma')) {
        this.#messageAddress = endpoint;
        return;
      }
    }
    const piece = this.#pieceOf(endpoint);
    // An empty `lc` is there for its endpoint alone.
    const isMarker = isText(source, key.start, length, 'lc') && binary.type === ValueType.STRING && binary.hi === 0;
    if (!isMarker) piece.binaries.push(binary);
  }

  /** Whether the value is that of an address; some clients write it as text. */
  #isTrue({ type, lo, hi }: V1BinaryAnnotation): boolean {
    const { source } = this.#span;
    if (type === ValueType.BOOL) return lo !== 0;
    return type === ValueType.STRING && (isText(source, lo, hi, 'true') || isText(source, lo, hi, '1'));
  }

  /** A start that nobody said, when an end is where the span's own times say it ends. */
  #infer(startCore: Core, endCore: Core): void {
    const end = this.#found.get(endCore);
    const { timestamp, duration } = this.#span;
    if (this.#found.has(startCore) || end === undefined || isAbsent(timestamp) || isAbsent(duration)) return;
    setSum(sum, timestamp, duration);
    if (compareMicros(sum, end.time) !== 0) return;
    const { endpoint, piece } = end;
    this.#found.set(startCore, { time: timestamp, endpoint, annotation: undefined, piece, isUsed: true });
  }

  /** Times and kinds of client and server. */
  #call(): void {
    const found = this.#found;
    const [cs, cr, sr, ss] = [found.get('cs'), found.get('cr'), found.get('sr'), found.get('ss')];
    const { timestamp, duration } = this.#span;
    if (cs !== undefined && sr !== undefined) {
      this.#time(cs, cr);
      cs.piece.kind = SpanKind.CLIENT;
      const server = cs.piece === sr.piece ? this.#add(sr.endpoint) : sr.piece;
      server.kind = SpanKind.SERVER;
      server.isShared = true;
      sr.piece = server;
      if (ss !== undefined) ss.piece = server;
      setPeriod(server, sr, ss);
    } else if (cs !== undefined && cr !== undefined) this.#time(cs, cr);
    else if (sr !== undefined && ss !== undefined) this.#time(sr, ss);
    else {
      if (cs !== undefined) setPeriod(cs.piece, cs, undefined);
      if (sr !== undefined) setPeriod(sr.piece, sr, undefined);
      const first = this.items[0]!;
      if (!isAbsent(timestamp)) setTime(first.timestamp, timestamp);
      setTime(first.duration, duration);
    }
    // The flag `shared` is newer than this format. Only who began a span said when, so that a server who did not had joined it.
    if (cs === undefined && sr !== undefined) {
      sr.piece.isShared = isAbsent(timestamp) || (ss !== undefined && isAbsent(duration));
    }
  }

  /** Times and kinds of producer and consumer. */
  #message(): void {
    const found = this.#found;
    const [ms, ws, wr, mr] = [found.get('ms'), found.get('ws'), found.get('wr'), found.get('mr')];
    if (ms !== undefined && mr !== undefined) {
      ms.piece.kind = SpanKind.PRODUCER;
      const consumer = ms.piece === mr.piece ? this.#add(mr.endpoint) : mr.piece;
      consumer.kind = SpanKind.CONSUMER;
      consumer.isShared = true;
      mr.piece = consumer;
      if (wr !== undefined) wr.piece = consumer;
      setPeriod(consumer, wr ?? mr, wr === undefined ? undefined : mr);
      setPeriod(ms.piece, ms, ws);
    } else if (ms !== undefined) this.#time(ms, ws);
    else if (mr !== undefined) this.#time(wr ?? mr, wr === undefined ? undefined : mr);
  }

  /** Times a piece by the span's own times, else by its core annotations. */
  #time(begin: Found, end: Found | undefined): void {
    const { timestamp, duration } = this.#span;
    const { piece } = begin;
    setPeriod(piece, begin, end);
    if (isAbsent(timestamp) || isAbsent(duration)) return;
    setTime(piece.timestamp, timestamp);
    setTime(piece.duration, duration);
  }

  /** Gives each piece the endpoint of the other side. */
  #remotes(): void {
    const found = this.#found;
    const client = found.get('cs') ?? found.get('cr');
    const server = found.get('sr') ?? found.get('ss');
    const message = found.get('ms') ?? found.get('mr');
    const [sa, ca, ma] = [this.#serverAddress, this.#clientAddress, this.#messageAddress];
    if (client === undefined && server === undefined) {
      const piece = sa === undefined || ca === undefined ? this.items[0]! : this.#pieceOf(ca);
      if (sa === undefined && ca !== undefined) piece.kind = SpanKind.SERVER;
      piece.remote = sa ?? ca;
    }
    if (server !== undefined && ca !== undefined) {
      server.piece.remote = ca;
      // Finagle names its own service beside the port its client spoke from, as if it called itself.
      server.piece.dropsRemoteService = this.#sameService(ca, server.endpoint);
    }
    if (client !== undefined && sa !== undefined) client.piece.remote = sa;
    if (message !== undefined && ma !== undefined) message.piece.remote = ma;
  }

  /** A local piece nobody timed begins with its first annotation and ends with its last. */
  #timeByAnnotations(piece: V1Piece): void {
    if (piece.kind !== SpanKind.UNSPECIFIED || !isAbsent(piece.timestamp) || piece.annotations.length === 0) return;
    let [first] = piece.annotations as [V1Annotation];
    let last = first;
    for (const annotation of piece.annotations) {
      if (compareMicros(annotation.time, first.time) < 0) first = annotation;
      if (compareMicros(annotation.time, last.time) > 0) last = annotation;
    }
    setTime(piece.timestamp, first.time);
    if (isAbsent(piece.duration)) setDifference(piece.duration, last.time, first.time);
  }
}

const sum: Micros = { lo: 0, hi: 0 };

/** Times a piece by when it began and, if known, ended. */
function setPeriod(piece: V1Piece, begin: Found, end: Found | undefined): void {
  begin.isUsed = true;
  setTime(piece.timestamp, begin.time);
  if (end === undefined) return;
  end.isUsed = true;
  setDifference(piece.duration, end.time, begin.time);
}

function setTime(target: Micros, time: Micros): void {
  target.lo = time.lo;
  target.hi = time.hi;
}
