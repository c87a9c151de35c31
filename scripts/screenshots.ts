// Pictures of the review comment as a reviewer sees it, in a real browser.
//   node scripts/screenshots.ts COMMENT.md FOLDER [HEIGHT]     writes NAME-1280.png and NAME-400.png there; HEIGHT cuts
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { chromium } from 'playwright-core';

const [file, folder = '.', height = '0'] = process.argv.slice(2);
if (file === undefined || !existsSync(file)) {
  console.error('usage: node scripts/screenshots.ts COMMENT.md [FOLDER] [HEIGHT]');
  process.exit(2);
}
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
if (executablePath === undefined) {
  console.error('There is no Chromium: install the package chromium.');
  process.exit(2);
}

/** Measures and colours of a comment on github.com, as far as they decide whether something fits. */
const style = `
body { margin: 0; padding: 16px; background: #f6f8fa; font: 14px/1.5 system-ui, "Noto Sans", "DejaVu Sans", sans-serif; color: #1f2328; }
main { max-width: 830px; margin: auto; padding: 16px; border: 1px solid #d1d9e0; border-radius: 6px; background: #fff; overflow-wrap: break-word; }
h2 { font-size: 1.5em; margin: 0 0 16px; padding-bottom: .3em; border-bottom: 1px solid #d1d9e0; }
h3 { font-size: 1.25em; margin: 24px 0 16px; } h4 { font-size: 1em; margin: 24px 0 16px; }
p, ul, table, details, pre { margin: 0 0 16px; } ul { padding-left: 2em; } li + li { margin-top: .25em; } li > ul { margin: 0; }
code { padding: .2em .4em; border-radius: 6px; background: #818b981f; font: 85% ui-monospace, "DejaVu Sans Mono", monospace; white-space: break-spaces; }
pre { padding: 16px; overflow: auto; border-radius: 6px; background: #f6f8fa; } pre code { padding: 0; background: none; white-space: pre; }
table { display: block; width: max-content; max-width: 100%; overflow: auto; border-collapse: collapse; } th, td { padding: 6px 13px; border: 1px solid #d1d9e0; }
hr { height: 4px; border: 0; background: #d1d9e0; margin: 24px 0; } a { color: #0969da; } sub { font-size: 75%; }
summary { cursor: pointer; }`;

const html = micromark(readFileSync(file, 'utf8'), {
  allowDangerousHtml: true,
  extensions: [gfm()],
  htmlExtensions: [gfmHtml()],
});
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync'],
});
try {
  for (const width of [1280, 400]) {
    const page = await browser.newPage({ viewport: { width, height: 800 } });
    await page.setContent(
      `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>${style}</style><main>${html}</main>`,
    );
    const path = join(folder, `${basename(file, '.md')}-${width}.png`);
    const part = { x: 0, y: 0, width, height: Number(height) };
    await page.screenshot({ path, fullPage: true, ...(part.height > 0 ? { clip: part } : {}) });
    console.log(path);
  }
} finally {
  await browser.close();
}
