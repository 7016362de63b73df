import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { serve } from '../../samples/browser/serve.js';
import { program, repository } from '../conformance/lorta.js';

/** Makes a site with the built command; the folder. Arguments are those of make-site.js. */
export async function makeSite(out, ...args) {
    const script = repository('samples/browser/make-site.js');
    await promisify(execFile)(process.execPath, [script, '--out', out, ...args], { env: { ...process.env, LORTA: program } });
    return out;
}

/** A site that is served: its address, and pages on it. */
export class ServedSite {
    #server;
    #browser;

    /** All addresses that its pages have asked for. */
    requests = [];

    /** Serves a folder. */
    static async of(folder, browser) {
        const served = new ServedSite();
        served.#browser = browser;
        served.#server = await serve(folder);
        served.address = `http://127.0.0.1:${served.#server.address().port}`;
        return served;
    }

    /** Opens the page and waits until it is ready. `prepare` changes the browser first. */
    async open(query = '', prepare = () => {}) {
        const page = await this.#browser.newPage({ viewport: { width: 1100, height: 860 } });
        await page.addInitScript(prepare);
        page.on('request', request => this.requests.push(request.url()));
        const sample = new SamplePage(page);
        await sample.go(`${this.address}/${query}`);
        return sample;
    }

    /** Ends the server. */
    close() {
        this.#server.closeAllConnections();
        this.#server.close();
    }
}

/** The page of the sample, used as a visitor does. */
class SamplePage {
    constructor(page) {
        this.page = page;
        page.setDefaultTimeout(120_000);   // software computes for the GPU
    }

    /** Opens it anew. */
    async go(address) {
        await this.page.goto(address);
        await this.#said('Ready');
    }

    /** What the page says of the device. */
    device = () => this.page.textContent('#device');

    /** Trains with the given fields; losses, and the adapter's factors by name, as numbers. */
    async train({ engine, ...fields }) {
        const form = this.page.locator('form[name=train]');
        await form.locator('[name=engine]').selectOption(engine);
        for (const [name, value] of Object.entries(fields)) await form.locator(`[name=${name}]`).fill(`${value}`);
        await form.getByText('Train', { exact: true }).click();
        await this.#said('Trained');
        return this.page.evaluate(async () => {
            const { app } = await import('/main.js');
            const { name, adapter } = app.adapters.at(-1);
            const factors = Object.fromEntries(Object.entries(adapter.factors).map(([factor, { data }]) => [factor, [...data]]));
            return { name, losses: app.runs.at(-1).losses, factors };
        });
    }

    /** The table of adapters, with answers to a prompt: { adapter, answer, change } for each. */
    async compare(prompt) {
        await this.page.fill('[name=prompt]', prompt);
        await this.page.click('form[name=compare] button');
        await this.#said('Compared');
        return this.page.locator('#adapters tr').evaluateAll(rows =>
            rows.map(({ cells: [adapter, answer, change] }) =>
                ({ adapter: adapter.textContent, answer: answer.textContent, change: Number(change.textContent) })));
    }

    /** The logits of token ids with the adapter of a name. */
    logits(adapter, ids) {
        return this.page.evaluate(async ([wanted, row]) => {
            const [{ app }, { batchOf }] = await Promise.all([import('/main.js'), import('/batch.js')]);
            const { factors } = app.adapters.find(({ name }) => name === wanted).adapter;
            return [...(await app.adapted.logits(batchOf([row], 0), factors)).data];
        }, [adapter, ids]);
    }

    /** Downloads an adapter; the file. */
    async download(adapter) {
        const [download] = await Promise.all([
            this.page.waitForEvent('download'),
            this.page.locator('#adapters tr', { hasText: adapter }).getByText('Download').click(),
        ]);
        return download.path();
    }

    /** Adds an adapter by its files; what the page says. */
    async add(...files) {
        await this.page.setInputFiles('[name=files]', files);
        await this.page.locator('[name=files]:enabled').waitFor();   // off while the page reads
        return this.page.textContent('#message');
    }

    // Ends with the page's own words where it says something else.
    async #said(word) {
        const message = this.page.locator('#message');
        await this.page.waitForFunction(expected => {
            const { className, textContent } = document.getElementById('message');
            return className === 'error' || textContent.startsWith(expected);
        }, word);
        const text = await message.textContent();
        if (!text.startsWith(word)) throw new Error(`The page says: ${text}`);
    }
}
