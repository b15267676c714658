import type { PageContent } from '@clew/query';
import { WebAssetsError, contentSecurityPolicy, listWebAssets, renderIndexHtml } from '@clew/web/assets';

/** The built page, or undefined when it was not built: everything else works without it. */
export async function loadPage(): Promise<PageContent | undefined> {
  try {
    const files = await listWebAssets();
    return { files, contentSecurityPolicy, index: (basePath) => renderIndexHtml(basePath) };
  } catch (caught) {
    if (caught instanceof WebAssetsError) return undefined;
    throw caught;
  }
}
