import type { Telemetry } from '@clew/base';
import type { EngineState } from '../engine/client.ts';
import type { EngineEvent } from '../engine/events.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Turns what happens around the engine into log lines and metrics. */
export function engineTelemetry({ logger, meter }: Telemetry): (event: EngineEvent) => void {
  const up = meter.gauge({ name: 'clew_engine_up', help: '1 while the engine answers.' });
  const starts = meter.counter({ name: 'clew_engine_restarts_total', help: 'Times the engine went away unasked.' });
  const statements = meter.counter({
    name: 'clew_engine_statements_total',
    help: 'Statements, by class and outcome.',
    labels: ['class', 'outcome'],
  });
  const seconds = meter.histogram({
    name: 'clew_engine_statement_seconds',
    help: 'Time of statements, waiting excluded.',
    labels: ['class'],
    buckets: SECONDS,
  });
  const waits = meter.histogram({
    name: 'clew_engine_wait_seconds',
    help: 'Time statements waited for their turn.',
    labels: ['class'],
    buckets: SECONDS,
  });
  return (event) => {
    switch (event.kind) {
      case 'state':
        up.set(event.state.kind === 'ready' ? 1 : 0);
        if (event.state.kind === 'restarting') starts.add(1);
        logState(event.state);
        break;
      case 'statement': {
        const { class: name, outcome, elapsedMs, waitedMs } = event.statement;
        statements.add(1, { class: name, outcome });
        seconds.record(elapsedMs / 1000, { class: name });
        waits.record(waitedMs / 1000, { class: name });
        break;
      }
      case 'output':
        logger.debug('engine output', { line: event.line });
        break;
      case 'warning':
        logger.warn(event.message);
        break;
    }
  };

  function logState(state: EngineState): void {
    if (state.kind === 'restarting') {
      const { attempt, reason } = state;
      logger.error('the engine went away and is started again; requests go to the journal', { attempt, reason });
    } else if (state.kind === 'failed') {
      logger.error('the engine cannot be started', { code: state.code, reason: state.message });
    } else {
      logger.info('engine state', { state: state.kind });
    }
  }
}
