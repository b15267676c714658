/** What a file is, by its name. */
export interface MediaType {
  readonly name: string;
  /** Whether compressing it is worth the time. */
  readonly compressible: boolean;
}

const text = (name: string): MediaType => ({ name: `${name}; charset=utf-8`, compressible: true });
const data = (name: string, compressible = false): MediaType => ({ name, compressible });

const types: ReadonlyMap<string, MediaType> = new Map([
  ['.html', text('text/html')],
  ['.htm', text('text/html')],
  ['.css', text('text/css')],
  ['.js', text('text/javascript')],
  ['.mjs', text('text/javascript')],
  ['.txt', text('text/plain')],
  ['.md', text('text/markdown')],
  ['.csv', text('text/csv')],
  ['.xml', text('text/xml')],
  ['.json', data('application/json', true)],
  ['.map', data('application/json', true)],
  ['.webmanifest', data('application/manifest+json', true)],
  ['.svg', data('image/svg+xml', true)],
  ['.wasm', data('application/wasm', true)],
  ['.pdf', data('application/pdf')],
  ['.zip', data('application/zip')],
  ['.gz', data('application/gzip')],
  ['.png', data('image/png')],
  ['.jpg', data('image/jpeg')],
  ['.jpeg', data('image/jpeg')],
  ['.gif', data('image/gif')],
  ['.webp', data('image/webp')],
  ['.avif', data('image/avif')],
  ['.ico', data('image/x-icon')],
  ['.woff', data('font/woff')],
  ['.woff2', data('font/woff2')],
  ['.ttf', data('font/ttf', true)],
  ['.mp3', data('audio/mpeg')],
  ['.mp4', data('video/mp4')],
  ['.webm', data('video/webm')],
]);

const unknown = data('application/octet-stream');

/** The media type of a file name's extension, dot included. */
export function mediaType(extension: string): MediaType {
  return types.get(extension.toLowerCase()) ?? unknown;
}
