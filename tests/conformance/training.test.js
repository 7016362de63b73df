// Artifacts in the dialect of ONNX Runtime Training train in onnxruntime-web 1.19.2, and to the same numbers as those of the portable dialect
// in onnxruntime-node. The current onnxruntime-web loads the portable ones as they are, those of ONNX Runtime Training without its operators.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import './telemetry.js';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { exportedFiles, missing } from './fixtures.js';
import { lorta, repository, temporaryFolder } from './lorta.js';
import { withoutNodes } from './onnx.js';
import { logits, relativeDistance, runtimes } from './runtimes.js';
import { readSafetensors } from './safetensors.js';
import { TrainingHost } from './trainingHost.js';

const steps = 5;
const folder = temporaryFolder();
const reference = name => repository('tests/fixtures/models', `${name}.safetensors`);

const bundled = [
    { name: 'llama-mini', task: 'causal-lm', batch: reference('llama-mini/reference/batch') },
    { name: 'roberta-mini', task: 'classification', batch: reference('roberta-mini/reference/seqcls') },
    { name: 'esm-mini', task: 'masked-lm', batch: reference('esm-mini/reference/mlm') },
].map(model => ({ ...model, file: repository('models', model.name) }));

// Forms of attention, caches, low bits and 16 bits, of which some operators are written anew for this runtime.
const exported = missing ? [] : ['llama-mini/genai-int4', 'llama-mini/optimum-past', 'llama-mini/fp16', 'roberta-mini/seqcls.ort-fused'].map(name => {
    const file = exportedFiles().find(file => file.name === name);
    assert.ok(file, `${name} is not among the fixtures`);
    return { ...file, task: name.includes('seqcls') ? 'classification' : 'causal-lm' };
});

const cases = [
    ...bundled.map(model => ({ ...model, method: 'lorta' })),
    ...['lora', 'dora', 'ia3'].map(method => ({ ...bundled[0], method })),
    ...exported.map(model => ({ ...model, method: 'lorta' })),
];

describe('ONNX Runtime Training', { concurrency: 2 }, () => {
    for (const [index, { name, file, task, batch: batchFile, method }] of cases.entries()) {
        describe(`${name}, ${method}`, { concurrency: 1 }, () => {
            const [artifacts, portable] = ['ort-training', 'portable'].map(dialect => join(folder, `${index}.${dialect}`));
            const batch = labelled(readSafetensors(batchFile), task);
            let host, expected, firstParameters;

            before(async () => {
                const options = ['--method', method, '--rank', '4', '--task', task, '--embed-weights'];
                await Promise.all([
                    lorta('artifacts', file, '-o', artifacts, '--dialect', 'ort-training', ...options),
                    lorta('artifacts', file, '-o', portable, ...options),
                ]);
                expected = await trainPortably(portable, batch);
                host = await TrainingHost.open(artifacts);
                firstParameters = await host.parameters();
            });

            after(() => host?.close());

            test('trains to the losses and parameters of the portable dialect', async () => {
                const losses = [];
                for (let step = 0; step < steps; step++) {
                    losses.push((await host.train(batch)).loss.data[0]);
                    await host.step();
                }
                losses.push((await host.evaluate(batch)).loss.data[0]);
                const parameters = await host.parameters();

                losses.forEach((loss, step) => near(loss, expected.losses[step], 1e-5 * expected.losses[step]));
                assert.ok(losses.at(-1) < losses[0], `losses ${losses}`);
                assert.equal(parameters.length, expected.parameters.reduce((count, { data }) => count + data.length, 0));
                let start = 0;
                for (const { name, data } of expected.parameters) {
                    const [first, found] = [firstParameters, parameters].map(all => all.subarray(start, start + data.length));
                    const largest = data.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
                    found.forEach((parameter, i) => near(parameter, data[i], 1e-4 * largest, name));
                    assert.ok(!found.every((parameter, i) => parameter === first[i]), `${name} has not moved`);
                    start += data.length;
                }
            });

            test('is loaded by the current onnxruntime-web', async () => {
                for (const [dialect, without] of [[portable], [artifacts, 'InPlaceAccumulatorV2']]) {
                    const model = withoutNodes(readFileSync(join(dialect, 'training_model.onnx')), without);
                    near(await alone(() => lossInWeb(model, portable, batch)), expected.losses[0], 1e-5 * expected.losses[0]);
                }
            });

            if (task !== 'classification') return;

            test('becomes an adapter that folds to the same scores', async () => {
                const [trained, adapter, folded] = ['trained.bin', 'adapter', 'folded.onnx'].map(name => join(artifacts, name));
                writeFileSync(trained, await host.parameters());
                await lorta('convert', trained, adapter, '--artifacts', artifacts);
                await lorta('export', file, '--adapter', adapter, '-o', folded);

                const scores = await logits('onnxruntime-node', folded, batch);

                near(relativeDistance(scores, (await host.evaluate(batch)).logits.data, batch), 0, 1e-4, 'scores');
            });
        });
    }
});

test('the program of the page trains', async () => {
    const [, program] = readFileSync(repository('docs/ort-training.md'), 'utf8').match(/```js\n([^]*?)```/);
    const [artifacts, page] = ['page.artifacts', 'page'].map(name => join(folder, name));
    mkdirSync(join(page, 'node_modules'), { recursive: true });
    symlinkSync(repository('tests/conformance/node_modules/onnxruntime-web-training'), join(page, 'node_modules/onnxruntime-web'), 'junction');
    writeFileSync(join(page, 'train.mjs'), program);
    await lorta('artifacts', repository('models/roberta-mini'), '-o', artifacts, '--task', 'classification', '--rank', '4', '--dialect', 'ort-training', '--embed-weights');

    const said = execFileSync(process.execPath, [join(page, 'train.mjs'), artifacts], { encoding: 'utf8' });

    const losses = [...said.matchAll(/loss ([\d.]+)/g)].map(([, loss]) => Number(loss));
    assert.equal(losses.length, 5);
    assert.ok(losses[4] < losses[0], `losses ${losses}`);
    const adapter = join(folder, 'page.adapter');
    assert.equal((await lorta('convert', join(artifacts, 'trained.bin'), adapter, '--artifacts', artifacts)).error, 0);
    const [before, trained] = [join(artifacts, 'initial'), adapter].map(name => readSafetensors(join(name, 'adapter_model.safetensors')));
    assert.deepEqual(Object.keys(trained), Object.keys(before));
    for (const name of Object.keys(before)) assert.notDeepEqual(trained[name].data, before[name].data, name);
});

const near = (found, wanted, tolerance, of = 'loss') =>
    assert.ok(Math.abs(found - wanted) <= tolerance, `${of}: ${found} against ${wanted}`);

// Each token is the label of its place; of a text, the sum of its tokens decides.
function labelled({ input_ids: ids, ...others }, task) {
    const [rows, length] = ids.shape;
    const labels = task === 'classification'
        ? { data: BigInt64Array.from({ length: rows }, (_, row) => ids.data[row * length + 1] % 2n), shape: [rows] }
        : ids;
    return { input_ids: ids, ...others, labels };
}

/** What OrtSessionRuntime does: gradients from one graph, steps in another; the losses, the last one after the last step, and the parameters. */
async function trainPortably(artifacts, batch) {
    const open = name => InferenceSession.create(join(artifacts, `${name}_model.onnx`), { logSeverityLevel: 3 });
    const [train, optimizer] = await Promise.all(['training', 'optimizer'].map(open));
    const values = initialValues(artifacts, Tensor);
    const inputs = train.inputNames.filter(name => name !== 'scale');
    const trained = inputs.filter(input => train.outputNames.includes(gradientOf(input)));
    const kept = Object.fromEntries(trained.flatMap(input => ['m', 'v'].map(kind =>
        [`${nameOf(input)}.${kind}`, new Tensor('float32', new Float32Array(values[input].data.length), values[input].dims)])));
    const losses = [];
    for (let step = 1; ; step++) {
        const outputs = await train.run(Object.fromEntries(train.inputMetadata
            .filter(({ name }) => inputs.includes(name)).map(input => [input.name, feed(input, batch, values)])));
        losses.push(outputs.loss.data[0]);
        if (step > steps) return { losses, parameters: trained.map(input => ({ name: input, data: values[input].data })) };
        const next = await optimizer.run({
            lr: new Tensor('float32', [1e-3], []),
            step: new Tensor('int64', [BigInt(step)], []),
            ...kept,
            ...Object.fromEntries(trained.flatMap(input =>
                [[nameOf(input), values[input]], [`${nameOf(input)}.grad`, outputs[gradientOf(input)]]])),
        });
        for (const input of trained) values[input] = next[`${nameOf(input)}.next`];
        for (const name of Object.keys(kept)) kept[name] = next[`${name}.next`];
    }
}

// The runtime of the web is one module, which runs one session at a time.
let web = Promise.resolve();
const alone = work => web = web.then(work, work);

/** The loss of a training graph before the first step, in the current onnxruntime-web. */
async function lossInWeb(model, portable, batch) {
    const { ort, provider } = runtimes['onnxruntime-web'];
    const session = await ort.InferenceSession.create(model, { executionProviders: [provider], logSeverityLevel: 3 });
    try {
        const values = initialValues(portable, ort.Tensor);
        const inputs = session.inputMetadata.filter(({ name }) => name !== 'scale');
        return (await session.run(Object.fromEntries(inputs.map(input => [input.name, feed(input, batch, values, ort.Tensor)])), ['loss'])).loss.data[0];
    } finally {
        await session.release();
    }
}

const initialValues = (artifacts, Tensor) => Object.fromEntries(Object.entries(readSafetensors(join(artifacts, 'initial.safetensors')))
    .map(([name, { data, shape }]) => [name, new Tensor('float32', data, shape)]));

const nameOf = input => input.replace(/^factor\./, '');
const gradientOf = input => `gradient.${nameOf(input)}`;

// A cache is empty; a batch is the whole step.
function feed({ name, type, shape }, batch, values, Of = Tensor) {
    if (values[name]) return values[name];
    if (name === 'loss_weight') return new Of('float32', [1], []);
    const given = batch[name];
    return given ? new Of(type, given.data, given.shape) : new Of(type, [], [batch.input_ids.shape[0], shape[1], 0, shape[3]]);
}
