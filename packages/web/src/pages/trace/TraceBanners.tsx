import type { ReactElement, ReactNode } from 'react';
import { formatCount, plural } from '../../lib/format.ts';
import type { TraceModel } from '../../trace/model.ts';
import { Banner } from '../../ui/states.tsx';

interface Notice {
  readonly key: string;
  readonly tone: 'warning' | 'info';
  readonly text: ReactNode;
}

/** What a reader must know about the trace before believing it; at most two at once, most severe first. */
const maxBanners = 2;

/** Banners between header and waterfall. */
export function TraceBanners({ model }: { readonly model: TraceModel }): ReactElement {
  const notices = noticesOf(model);
  const folded = notices.slice(maxBanners);
  return (
    <>
      {notices.slice(0, maxBanners).map((notice, index) => (
        <Banner key={notice.key} tone={notice.tone}>
          <span>
            {notice.text}
            {index === maxBanners - 1 && folded.length > 0 ? ` ${plural(folded.length, 'more note')}.` : ''}
          </span>
        </Banner>
      ))}
    </>
  );
}

function noticesOf(model: TraceModel): readonly Notice[] {
  const { facts, completeness, missingParents } = model.skeleton;
  const notices: Notice[] = [];
  if (facts.more) {
    notices.push({
      key: 'cut',
      tone: 'warning',
      text: `Only the first ${formatCount(facts.returned)} spans are shown: the server's limit for one trace is ${formatCount(facts.limit)}.`,
    });
  }
  if (missingParents.length > 0) {
    const what = completeness.growing ? 'It may still arrive.' : 'It was not sent, not sampled, or has not been kept.';
    const count =
      missingParents.length === 1 ? 'One parent span is' : `${formatCount(missingParents.length)} parent spans are`;
    notices.push({
      key: 'missing',
      tone: 'warning',
      text: `${count} missing; the spans below are grouped under a dashed row. ${what}`,
    });
  }
  if (completeness.growing) {
    notices.push({ key: 'growing', tone: 'info', text: 'Spans are still arriving; this page follows them.' });
  }
  for (const warning of [...model.warnings, ...facts.warnings]) {
    const count = warning.count === undefined || warning.count < 2 ? '' : ` (${formatCount(warning.count)} spans)`;
    notices.push({ key: warning.code, tone: 'warning', text: `${warning.message}${count}` });
  }
  return notices;
}
