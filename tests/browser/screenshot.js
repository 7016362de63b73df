// Makes the picture of docs/browser.md: npm run screenshot
import { join } from 'node:path';
import { repository, temporaryFolder } from '../conformance/lorta.js';
import { openChromium } from './chromium.js';
import { makeSite, ServedSite } from './samplePage.js';

const browser = await openChromium();
const site = await ServedSite.of(await makeSite(join(temporaryFolder(), 'site')), browser);
const sample = await site.open('?device=wasm');
await sample.train({ engine: 'session', steps: 60 });
await sample.train({ engine: 'portable', steps: 60, learningRate: 0.02 });
await sample.compare('2 March.');
await sample.page.screenshot({ path: repository('docs/browser.png') });
await browser.close();
site.close();
