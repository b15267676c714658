import type { OperationSamplingState, SamplingRound } from '@clew/pipeline';
import type { SqlClient } from '../engine/client.ts';

/** Characters of names that one statement may carry once they are written for an address; a request may have a million. */
const MAX_NAME_CHARACTERS = 300_000;
/** Operations of one statement: beside its names each takes some hundred characters. */
const MAX_OPERATIONS = 3000;

/** Ends a round: readers take the newest round that has this row. */
const mark: OperationSamplingState = {
  service: '',
  operation: '',
  probability: 0,
  tracesPerSecond: 0,
  followed: false,
  changedRound: 0,
};

/** Stores a round in as many statements as it takes. The last one carries the row that makes it visible. */
export async function saveRound(
  client: SqlClient,
  tenant: string,
  { round, operations }: SamplingRound,
  signal: AbortSignal,
): Promise<void> {
  for (const states of portionsOf([...operations, mark])) {
    await client.execute(STATEMENT, {
      class: 'control',
      comment: 'save a round of adaptive sampling',
      params: { tenant, round, ...columnsOf(states) },
      settings: { insert_deduplicate: 0 },
      signal,
    });
  }
}

const STATEMENT =
  'INSERT INTO sampling_rounds (tenant, round, service, operation, probability, traces_per_second, followed, changed_round) ' +
  'SELECT {tenant:String}, {round:UInt64}, state.1, state.2, state.3, state.4, state.5, state.6 FROM (SELECT arrayJoin(arrayZip(' +
  '{services:Array(String)}, {operations:Array(String)}, {probabilities:Array(Float64)}, {rates:Array(Float64)}, ' +
  '{followed:Array(UInt8)}, {changed:Array(UInt64)})) AS state)';

function columnsOf(states: readonly OperationSamplingState[]) {
  return {
    services: states.map(({ service }) => service),
    operations: states.map(({ operation }) => operation),
    probabilities: states.map(({ probability }) => probability),
    rates: states.map(({ tracesPerSecond }) => tracesPerSecond),
    followed: states.map(({ followed }) => followed),
    changed: states.map(({ changedRound }) => changedRound),
  };
}

/** Cuts a list into portions that fit into a request. */
function* portionsOf(states: readonly OperationSamplingState[]): Generator<OperationSamplingState[]> {
  let portion: OperationSamplingState[] = [];
  let characters = 0;
  for (const state of states) {
    const own = encodedLength(state.service) + encodedLength(state.operation);
    if (portion.length > 0 && (portion.length === MAX_OPERATIONS || characters + own > MAX_NAME_CHARACTERS)) {
      yield portion;
      portion = [];
      characters = 0;
    }
    portion.push(state);
    characters += own;
  }
  if (portion.length > 0) yield portion;
}

/** Length of a name in an address. */
function encodedLength(name: string): number {
  return encodeURIComponent(name.toWellFormed()).length;
}
