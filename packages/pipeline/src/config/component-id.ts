import { fail, ok } from '@clew/base';
import type { Result } from '@clew/base';

/** The id of a configured component: its type, and a name when there are several of the type. */
export interface ComponentId {
  readonly type: string;
  /** Empty when the id is the type alone. */
  readonly name: string;
  /** `type` or `type/name`, without the whitespace the user may have put around the parts. */
  readonly text: string;
}

const typePattern = /^[a-zA-Z][0-9a-zA-Z_]{0,62}$/;
const maxNameLength = 1024;
/** Separators, control characters and symbols have no place in a name. */
const namePattern = /^[^\p{Z}\p{C}\p{S}]+$/u;

/** Reads `type` or `type/name`; whitespace around the parts is trimmed. */
export function parseComponentId(text: string): Result<ComponentId, string> {
  const slash = text.indexOf('/');
  const type = (slash < 0 ? text : text.slice(0, slash)).trim();
  const name = slash < 0 ? '' : text.slice(slash + 1).trim();
  if (type === '') {
    if (slash < 0) return fail('id must not be empty');
    return fail(`in ${JSON.stringify(text)} id: the part before / should not be empty`);
  }
  if (!typePattern.test(type))
    return fail(`in ${JSON.stringify(text)} id: invalid character(s) in type ${JSON.stringify(type)}`);
  if (slash < 0) return ok({ type, name: '', text: type });
  if (name === '') return fail(`in ${JSON.stringify(text)} id: the part after / should not be empty`);
  const length = Array.from(name).length;
  if (length > maxNameLength) {
    return fail(
      `in ${JSON.stringify(text)} id: name ${JSON.stringify(name)} is longer than ${maxNameLength} characters (${length})`,
    );
  }
  if (!namePattern.test(name))
    return fail(`in ${JSON.stringify(text)} id: invalid character(s) in name ${JSON.stringify(name)}`);
  return ok({ type, name, text: `${type}/${name}` });
}
