// The sample in samples/browser, in headless Chromium: in WebAssembly, and on WebGPU in software.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
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
        mkdirSync(join(folder, 'site'));   // an empty folder is as good as none
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
        const ids = [1, 5, 17, 9, 6, 30, 41, 300];
        let name, zip, adapter;

        before(async () => {
            await page.go(site.address);
            ({ name } = await page.train({ engine: 'portable', ...small, learningRate: 0.02 }));
            zip = readFileSync(await page.download(name));
            adapter = unzipped(zip, join(folder, 'adapter'));
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

            assert.equal(again.adapter, 'again');
            assert.notEqual(trained.answer, none.answer);
            assert.deepEqual([again.answer, again.change], [trained.answer, trained.change]);
        });

        test('is refused where its strength is another, for all sites or for some', async () => {
            const file = name => ({ name, mimeType: 'application/octet-stream', buffer: readFileSync(join(adapter, name)) });
            const config = file('adapter_config.json');
            const add = changed => page.add(
                { ...config, buffer: Buffer.from(JSON.stringify({ ...JSON.parse(config.buffer), ...changed })) },
                file('adapter_model.safetensors'));

            assert.equal(await add({ scale: 4 }), 'This adapter does not fit: its scale is 4, here it is 2.');
            const said = await add({ sites: [{ match: 'layers.0.*', alpha: 4 }] });
            assert.match(said, /^This adapter does not fit: its sites is \[.*"alpha":4.*\], here it is not stated\.$/);
            assert.equal(await page.page.inputValue('[name=files]'), '');   // so that the mended file can be chosen
        });
    });

    test('trains on WebGPU as in WebAssembly', async () => {
        const { device, losses } = await onGpu;

        assert.match(device, /^WebGPU \(.*swiftshader\)/);
        near(losses, (await page.train(few)).losses, 1e-3);
    });

    test('sends nothing that is typed where it could not begin', async () => {
        const tab = await browser.newPage();
        await tab.goto(`${site.address}/?device=cuda`);
        await tab.getByText('?device=cuda: choose webgpu or wasm').waitFor();

        await tab.fill('[name=prompt]', 'a secret');
        await tab.press('[name=prompt]', 'Enter');
        await tab.waitForTimeout(200);

        assert.equal(tab.url(), `${site.address}/?device=cuda`);
    });

    test('asks nobody but its own server', () => {
        assert.ok(site.requests.length > 0);
        const isInside = address => address.startsWith(`${site.address}/`) || /^(data|blob):/.test(address);
        assert.deepEqual(site.requests.filter(address => !isInside(address)), []);
    });

    // Some of their factors are frozen: adapters leave them out.
    const methods = process.env.LORTA_MATRIX ? ['vera', 'nola', 'lora_fa'] : ['vera'];
    for (const method of methods) describe(`a classifier with a recipe of ${method}`, () => {
        const classifierModel = repository('models/roberta-mini');
        const reviews = readFileSync(repository('models/data/reviews.tsv'), 'utf8').split('\n').slice(0, 9).join('\n');
        const settings = { text: reviews, steps: 4, rows: 8, tokens: 16 };
        let classifier, opened, trained;

        before(async () => {
            const recipe = recipeFile(method, [`adapter: { method: ${method}, rank: 4 }`], ['steps: 3', 'schedule: { name: linear }']);
            classifier = await ServedSite.of(
                await makeSite(join(folder, `site-${method}`), classifierModel, '--', '--recipe', recipe), browser);
            opened = await classifier.open('?device=wasm');
            trained = await opened.train({ engine: 'portable', ...settings });
        });

        after(() => classifier?.close());

        test('trains, with the recipe\'s learning rates in both engines', async () => {
            const { losses } = await opened.train({ engine: 'session', ...settings });

            assert.ok(losses.at(-1) < losses[0] - 0.001, `losses ${losses}`);
            near(trained.losses, losses, 1e-5);
            if (!process.env.LORTA_MATRIX) return;
            const onGpu = await (await classifier.open()).train({ engine: 'portable', ...settings });
            near(onGpu.losses, losses, 1e-3);
        });

        test('answers with probabilities', async () => {
            const [none, changed] = await opened.compare('Very good.');

            assert.match(none.answer, /^0: 0\.\d+, 1: 0\.\d+$/);
            assert.notEqual(changed.answer, none.answer);
        });

        test('is taken home without its frozen factors', async () => {
            const adapter = unzipped(readFileSync(await opened.download(trained.name)), join(folder, `adapter-${method}`));
            const folded = join(folder, `folded-${method}`);
            const ids = [0, 5, 17, 9, 6, 2];

            const { exitCode } = await lorta('export', classifierModel, '--adapter', adapter, '-o', folded);

            assert.equal(exitCode, 0);
            near(await opened.logits(trained.name, ids), await logits(join(folded, 'model.onnx'), ids), 1e-5);
        });

        test('takes no more tokens than its model has positions', () =>
            assert.rejects(opened.train({ engine: 'portable', ...settings, tokens: 257 }), /The model reads 256 tokens at most/));
    });
});

test('no site is made of what does not fit, one sentence says why, and nothing stays', () => {
    mkdirSync(join(folder, 'refused'));
    const lorta = ['adapter: { method: lorta }'];
    const accumulating = recipeFile('accumulating', lorta, ['steps: 3', 'gradientAccumulation: 2']);
    const withHead = recipeFile('with-head', [...lorta, 'trainables: [{ match: "classifier.*" }]'], ['steps: 3']);

    refused([repository('models/esm-mini')], /esm-mini has no tokenizer\.json, which the page needs beside the model\.$/);
    refused([renamed('position_ids', 'position_idz')], /the page has nothing to give to the input 'position_idz' \(int64, \[.*\]\)\.$/);
    refused([renamed('logits', 'scores')], /has no output 'logits', which the page reads; its outputs are scores\.$/);
    refused(['--task', 'regression'], /The task regression: this page knows causal-lm and classification\.$/);
    refused(['--task', 'classification'], /^No site was made\. The task classification needs .* \(LRT412\)$/);   // of lorta's own
    refused([repository('models/roberta-mini'), '--', '--recipe', accumulating], /The recipe takes 2 batches for a step, the page one/);
    refused([repository('models/roberta-mini'), '--', '--recipe', withHead], /trains factors alone, not the model's own 'classifier\.[^']+'\.$/);
    refused(['--out', repository('models')], /--out .*models: something else than a site is there\.$/);
    assert.deepEqual(readdirSync(join(folder, 'refused')), []);
});

test('what cannot be served is said in one sentence', async t => {
    const serve = repository('samples/browser/serve.js');
    const page = repository('samples/browser/page');
    const taken = createServer().listen(0, '127.0.0.1');
    t.after(() => taken.close());
    await once(taken, 'listening');
    const { port } = taken.address();

    fails([serve, folder], /is no site: make one with `npm run site`\.$/);
    fails([serve, page, '80x'], /^The port is a number up to 65535, not '80x'\.$/);
    fails([serve, page, `${port}`], new RegExp(`^The port ${port} is in use: name another, \`npm start -- FOLDER PORT\`\\.$`));
});

function refused(args, sentence) {
    fails([repository('samples/browser/make-site.js'), '--out', join(folder, 'refused', 'none'), ...args], sentence);
}

function fails(command, sentence) {
    const options = { encoding: 'utf8', stdio: 'pipe', timeout: 60_000, env: { ...process.env, LORTA: program } };
    assert.throws(
        () => execFileSync(process.execPath, command, options),
        ({ status, stderr }) => status === 1 && sentence.test(stderr.trim()));
}

// A copy of the model with another name, of the same length, in its file.
function renamed(name, other) {
    const copy = join(folder, `${basename(model)}-${other}`);
    cpSync(model, copy, { recursive: true });
    const file = join(copy, 'model.onnx');
    writeFileSync(file, readFileSync(file, 'latin1').replaceAll(name, other), 'latin1');
    return copy;
}

// A recipe for roberta-mini.
function recipeFile(name, lines, train) {
    const file = join(folder, `${name}.yaml`);
    const [of, reviews] = ['models/roberta-mini', 'models/data/reviews.tsv'].map(path => repository(path));
    const data = `data: { train: ${reviews}, columns: { text: sentence, label: label }, labels: [negative, positive] }`;
    const steps = `train: { batchSize: 8, optimizer: { name: adamw, lr: 2e-2 }, ${train.join(', ')} }`;
    writeFileSync(file, [`model: ${of}`, 'task: classification', ...lines, data, steps, `output: ${join(folder, name)}`].join('\n'));
    return file;
}

// The adapter folder of a download.
function unzipped(zip, to) {
    mkdirSync(to);
    for (const [file, bytes] of Object.entries(unzipSync(zip))) writeFileSync(join(to, file), bytes);
    return to;
}

async function logits(file, ids) {
    const session = await ort.InferenceSession.create(readFileSync(file), { executionProviders: ['wasm'], logSeverityLevel: 3 });
    const row = numbers => new ort.Tensor('int64', BigInt64Array.from(numbers, BigInt), [1, ids.length]);
    const known = { input_ids: row(ids), attention_mask: row(ids.map(() => 1)), position_ids: row(ids.map((_, i) => i)) };
    const feeds = session.inputNames.map(name => [name, known[name]]);
    const { logits: { data } } = await session.run(Object.fromEntries(feeds));
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
