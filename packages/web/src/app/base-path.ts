/**
 * The path below which the server serves everything, without a trailing slash: '' or '/clew'. It is what
 * the server wrote into `<base href>`.
 */
export function basePath(): string {
  return new URL(document.baseURI).pathname.replace(/\/+$/, '');
}
