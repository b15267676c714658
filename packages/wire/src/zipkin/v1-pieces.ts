import { SpanKind, StringTable, ValueType, equalBytes } from '@clew/model';
import { compareMicros, isAbsent, setDifference, setSum } from './micros.ts';
import type { Micros } from './micros.ts';
import { isText } from './special-tags.ts';
import { NONE } from './v1-span.ts';
import type { V1Span } from './v1-span.ts';

/** A v2 span in the making: what one service said within a v1 span. */
export class V1Piece {
  kind: SpanKind = SpanKind.UNSPECIFIED;
  /** Rows of endpoints, or `NONE`. */
  local = NONE;
  remote = NONE;
  /** Whether the remote endpoint's service name does not count. */
  dropsRemoteService = false;
  isShared = false;
  readonly timestamp: Micros = { lo: 0, hi: 0 };
  readonly duration: Micros = { lo: 0, hi: 0 };
  /** The first of its annotations and binary annotations, which lead on to each other, and the last. */
  firstAnnotation = NONE;
  lastAnnotation = NONE;
  firstBinary = NONE;
  lastBinary = NONE;

  clear(): void {
    this.kind = SpanKind.UNSPECIFIED;
    this.local = this.remote = NONE;
    this.dropsRemoteService = false;
    this.isShared = false;
    this.timestamp.lo = this.timestamp.hi = 0;
    this.duration.lo = this.duration.hi = 0;
    this.firstAnnotation = this.lastAnnotation = NONE;
    this.firstBinary = this.lastBinary = NONE;
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
  readonly endpoint: number;
  /** Its row; `NONE` when it was not sent but follows from others. */
  readonly annotation: number;
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
  #serverAddress = NONE;
  #clientAddress = NONE;
  #messageAddress = NONE;

  /** Fills `items`, which hold rows of `span`. */
  split(span: V1Span): void {
    this.#span = span;
    this.count = 0;
    this.#found.clear();
    this.#services.clear();
    this.#pieceOfService.length = 0;
    this.#serverAddress = this.#clientAddress = this.#messageAddress = NONE;
    this.#add(NONE);
    for (let row = 0; row < span.annotations.count; row++) this.#annotation(row);
    for (let row = 0; row < span.binaries.count; row++) this.#binary(row);
    this.#infer('cs', 'cr');
    this.#infer('sr', 'ss');
    this.#call();
    this.#message();
    this.#remotes();
    for (const { annotation, isUsed, piece } of this.#found.values()) {
      if (annotation !== NONE && !isUsed) this.#append(piece, annotation);
    }
    for (let at = 0; at < this.count; at++) this.#timeByAnnotations(this.items[at]!);
  }

  /** Lets go of the span. */
  release(): void {
    this.#found.clear();
    this.#pieceOfService.length = 0;
    if (this.items.length > KEEP_PIECES) {
      this.items.length = KEEP_PIECES;
      this.#services = new StringTable();
    }
    for (const piece of this.items) piece.clear();
  }

  #add(local: number): V1Piece {
    const piece = (this.items[this.count++] ??= new V1Piece());
    piece.clear();
    piece.local = local;
    return piece;
  }

  /** The piece of an endpoint's service: of the first piece, when that has no endpoint yet. */
  #pieceOf(endpoint: number): V1Piece {
    const first = this.items[0]!;
    if (endpoint === NONE) return first;
    const { source, endpoints } = this.#span;
    const service = this.#services.intern(source, endpoints.serviceStart[endpoint]!, endpoints.serviceEnd[endpoint]!);
    const known = this.#pieceOfService[service];
    if (known !== undefined) return known;
    let piece = first;
    if (first.local === NONE) first.local = endpoint;
    else piece = this.#add(endpoint);
    return (this.#pieceOfService[service] = piece);
  }

  #sameService(a: number, b: number): boolean {
    if (a === NONE || b === NONE) return a === b;
    const { source, endpoints } = this.#span;
    const { serviceStart, serviceEnd } = endpoints;
    const length = serviceEnd[a]! - serviceStart[a]!;
    return (
      length === serviceEnd[b]! - serviceStart[b]! &&
      equalBytes(source, serviceStart[a]!, source, serviceStart[b]!, length)
    );
  }

  /** Adds an annotation to those of a piece. */
  #append(piece: V1Piece, row: number): void {
    const { next } = this.#span.annotations;
    if (piece.lastAnnotation === NONE) piece.firstAnnotation = row;
    else next[piece.lastAnnotation] = row;
    piece.lastAnnotation = row;
  }

  #annotation(row: number): void {
    const { endpoint, timeLo, timeHi } = this.#span.annotations;
    const piece = this.#pieceOf(endpoint[row]!);
    const core = this.#coreOf(row);
    if (core === undefined || this.#found.has(core)) {
      this.#append(piece, row);
      return;
    }
    const kind = KIND_OF_CORE[core];
    if (kind !== SpanKind.UNSPECIFIED) piece.kind = kind;
    const time = { lo: timeLo[row]!, hi: timeHi[row]! };
    this.#found.set(core, { time, endpoint: endpoint[row]!, annotation: row, piece, isUsed: false });
  }

  #coreOf(row: number): Core | undefined {
    const { annotations, source } = this.#span;
    const start = annotations.start[row]!;
    if (annotations.end[row]! - start !== 2) return undefined;
    return CORE.find((core) => isText(source, start, 2, core));
  }

  #binary(row: number): void {
    const { source, binaries } = this.#span;
    const endpoint = binaries.endpoint[row]!;
    const start = binaries.keyStart[row]!;
    const length = binaries.keyEnd[row]! - start;
    if (length === 2 && endpoint !== NONE && this.#isTrue(row)) {
      if (isText(source, start, 2, 'sa')) {
        this.#serverAddress = endpoint;
        return;
      }
      if (isText(source, start, 2, 'ca')) {
        this.#clientAddress = endpoint;
        return;
      }
      if (isText(source, start, 2, 'ma')) {
        this.#messageAddress = endpoint;
        return;
      }
    }
    const piece = this.#pieceOf(endpoint);
    // An empty `lc` is there for its endpoint alone.
    const isEmpty = binaries.types[row] === ValueType.STRING && binaries.hi[row] === 0;
    if (isEmpty && isText(source, start, length, 'lc')) return;
    if (piece.lastBinary === NONE) piece.firstBinary = row;
    else binaries.next[piece.lastBinary] = row;
    piece.lastBinary = row;
  }

  /** Whether the value is that of an address; some clients write it as text. */
  #isTrue(row: number): boolean {
    const { source, binaries } = this.#span;
    const type = binaries.types[row];
    const lo = binaries.lo[row]!;
    const hi = binaries.hi[row]!;
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
    this.#found.set(startCore, { time: timestamp, endpoint, annotation: NONE, piece, isUsed: true });
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
      const piece = sa === NONE || ca === NONE ? this.items[0]! : this.#pieceOf(ca);
      if (sa === NONE && ca !== NONE) piece.kind = SpanKind.SERVER;
      piece.remote = sa === NONE ? ca : sa;
    }
    if (server !== undefined && ca !== NONE) {
      server.piece.remote = ca;
      // Finagle names its own service beside the port its client spoke from, as if it called itself.
      server.piece.dropsRemoteService = this.#sameService(ca, server.endpoint);
    }
    if (client !== undefined && sa !== NONE) client.piece.remote = sa;
    if (message !== undefined && ma !== NONE) message.piece.remote = ma;
  }

  /** A local piece nobody timed begins with its first annotation and ends with its last. */
  #timeByAnnotations(piece: V1Piece): void {
    const { timeLo, timeHi, next } = this.#span.annotations;
    if (piece.kind !== SpanKind.UNSPECIFIED || !isAbsent(piece.timestamp) || piece.firstAnnotation === NONE) return;
    const first = { lo: timeLo[piece.firstAnnotation]!, hi: timeHi[piece.firstAnnotation]! };
    const last = { ...first };
    const time = { lo: 0, hi: 0 };
    for (let row = piece.firstAnnotation; row !== NONE; row = next[row]!) {
      time.lo = timeLo[row]!;
      time.hi = timeHi[row]!;
      if (compareMicros(time, first) < 0) setTime(first, time);
      if (compareMicros(time, last) > 0) setTime(last, time);
    }
    setTime(piece.timestamp, first);
    if (isAbsent(piece.duration)) setDifference(piece.duration, last, first);
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
