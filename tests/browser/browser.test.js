// The sample in samples/browser, in headless Chromium: in WebAssembly, and on WebGPU in software.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { unzipSync } from '../../samples/browser/node_modules/fflate/esm/index.mjs';
import * as ort from '../../samples/browser/node_modules/onnxruntime-web/dist/ort.node.min.mjs';
import { lorta, program, repository, temporaryFolder } from '../conformance/lorta.js';
import { openChromium } from './chromium.js';
import { makeSite, ServedSite } from './samplePage.js';

ort.env.wasm.numThreads = 1;

const folder = temporaryFolder();
const model = repository('models/llama-mini');

// One batch, the same in every step, so that its loss falls.
const text = readFileSync(repository('models/data/ship-log.txt'), 'utf8').slice(0, 400);
const small = { text, steps: 12, rows: 100, tokens: 24 };

describe('the sample in the browser', () => {
    const few = { engine: 'portable', ...small, steps: 3, learningRate: 0.02 };
    let browser, site, page, onGpu;

    before(async () => {
        const made = makeSite(join(folder, 'site'));
        browser = await openChromium();
        site = await ServedSite.of(await made, browser);
        onGpu = trainedOnGpu();   // takes longest, so it begins here
        onGpu.catch(() => {});   // the test tells
        page = await site.open('', () => delete Navigator.prototype.gpu);
    });

    async function trainedOnGpu() {
        const gpu = await site.open();
        const { losses } = await gpu.train(few);
        return { device: await gpu.device(), losses };
    }

    after(async () => {
        await browser?.close();
        site?.close();
    });

    test('computes in WebAssembly where the browser has no WebGPU', async () =>
        assert.match(await page.device(), /^WebAssembly/));

    test('trains with the portable graphs as the TrainingSession of 1.19.2 does', async () => {
        const portable = await page.train({ engine: 'portable', ...small, learningRate: 0.001 });
        const session = await page.train({ engine: 'session', ...small });

        assert.ok(portable.losses.at(-1) < portable.losses[0] - 0.05, `losses ${portable.losses}`);
        near(session.losses, portable.losses, 1e-5);
        for (const [name, numbers] of Object.entries(portable.factors)) near(session.factors[name], numbers, 1e-4, name);
    });

    describe('an adapter that it has trained', () => {
        const adapter = join(folder, 'adapter');
        const ids = [1, 5, 17, 9, 6, 30, 41, 300];
        let name, zip;

        before(async () => {
            await page.go(site.address);
            ({ name } = await page.train({ engine: 'portable', ...small, learningRate: 0.02 }));
            zip = readFileSync(await page.download(name));
            mkdirSync(adapter);
            for (const [file, bytes] of Object.entries(unzipSync(zip))) writeFileSync(join(adapter, file), bytes);
        });

        test('is taken home: lorta folds it, and the folded model has the logits of the page', async () => {
            const folded = join(folder, 'folded');

            const { ok } = await lorta('export', model, '--adapter', adapter, '-o', folded, '--verify');

            assert.equal(ok, true);
            near(await page.logits(name, ids), await logits(join(folded, 'model.onnx'), ids), 1e-5);
        });

        test('changes the one open model only while it is chosen', async () => {
            const base = await logits(join(model, 'model.onnx'), ids);

            near(await page.logits('none', ids), base, 1e-5);
            assert.ok(distance(await page.logits(name, ids), base) > 0.1);
            near(await page.logits('none', ids), base, 1e-5);
        });

        test('comes back into the page as it was', async () => {
            assert.equal(await page.add({ name: 'again.zip', mimeType: 'application/zip', buffer: zip }), 'Added.');

            const [none, trained, again] = await page.compare('2 March.');

            assert.deepEqual([none.change, again.adapter], [0, 'again']);
            assert.notEqual(trained.answer, none.answer);
            assert.deepEqual([again.answer, again.change], [trained.answer, trained.change]);
        });

        test('is refused where its strength is another', async () => {
            const file = name => ({ name, mimeType: 'application/octet-stream', buffer: readFileSync(join(adapter, name)) });
            const config = file('adapter_config.json');
            config.buffer = Buffer.from(config.buffer.toString().replace('"scale": 2', '"scale": 4'));

            const said = await page.add(config, file('adapter_model.safetensors'));

            assert.equal(said, 'This adapter does not fit: its scale is 4, here it is 2.');
        });
    });

    test('trains on WebGPU as in WebAssembly', async () => {
        const { device, losses } = await onGpu;

        assert.match(device, /^WebGPU \(.*swiftshader\)/);
        near(losses, (await page.train(few)).losses, 1e-3);
    });

    test('asks nobody but its own server', () => {
        assert.ok(site.requests.length > 0);
        const isInside = address => address.startsWith(`${site.address}/`) || /^(data|blob):/.test(address);
        assert.deepEqual(site.requests.filter(address => !isInside(address)), []);
    });

    test('trains a classifier too', async () => {
        const roberta = [repository('models/roberta-mini'), '--task', 'classification', '--', '--rank', '4'];
        const classifier = await ServedSite.of(await makeSite(join(folder, 'classifier'), ...roberta), browser);
        try {
            const reviews = readFileSync(repository('models/data/reviews.tsv'), 'utf8').split('\n').slice(0, 9).join('\n');
            const settings = { engine: 'portable', text: reviews, steps: 4, rows: 8, tokens: 16, learningRate: 0.02 };
            const inWebAssembly = await classifier.open('?device=wasm');

            const { losses } = await inWebAssembly.train(settings);

            assert.ok(losses.at(-1) < losses[0], `losses ${losses}`);
            const [none, trained] = await inWebAssembly.compare('Very good.');
            assert.match(none.answer, /^0: 0\.\d+, 1: 0\.\d+$/);
            assert.notEqual(trained.answer, none.answer);
            if (process.env.LORTA_MATRIX) near((await (await classifier.open()).train(settings)).losses, losses, 1e-3);
        } finally {
            classifier.close();
        }
    });
});

test('no site is made of what does not fit, and one sentence says why', () => {
    refused([repository('models/esm-mini')], /esm-mini has no tokenizer\.json, which the page needs beside the model\.$/);
    refused(['--task', 'regression'], /--task regression: this page knows causal-lm and classification\.$/);
    refused(['--task', 'classification'], /^No site was made\. The task classification needs .* \(LRT412\)$/);   // of lorta's own
    refused(['--out', repository('models')], /--out .*models: the folder holds something else than a site\.$/);
});

function refused(args, sentence) {
    const command = [repository('samples/browser/make-site.js'), '--out', join(folder, 'none'), ...args];
    const options = { encoding: 'utf8', stdio: 'pipe', env: { ...process.env, LORTA: program } };
    assert.throws(
        () => execFileSync(process.execPath, command, options),
        ({ status, stderr }) => status === 1 && sentence.test(stderr.trim()));
}

async function logits(file, ids) {
    const session = await ort.InferenceSession.create(readFileSync(file), { executionProviders: ['wasm'], logSeverityLevel: 3 });
    const row = numbers => new ort.Tensor('int64', BigInt64Array.from(numbers, BigInt), [1, ids.length]);
    const feeds = { input_ids: row(ids), attention_mask: row(ids.map(() => 1)), position_ids: row(ids.map((_, i) => i)) };
    const { logits: { data } } = await session.run(feeds);
    await session.release();
    return [...data];
}

// Relative to the largest number.
function near(found, wanted, tolerance, what = 'numbers') {
    assert.equal(found.length, wanted.length);
    const largest = wanted.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
    const difference = distance(found, wanted) / largest;
    assert.ok(difference <= tolerance, `${what}: the difference is ${difference}`);
}

const distance = (a, b) => a.reduce((most, number, i) => Math.max(most, Math.abs(number - b[i])), 0);
