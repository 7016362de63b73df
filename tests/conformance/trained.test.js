// An adapter trained for a few steps on the ship's log, folded into two exports of the same model.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { lorta, repository, temporaryFolder } from './lorta.js';
import { distance, logits, runtimes } from './runtimes.js';
import { readSafetensors } from './safetensors.js';

const tolerance = 1e-4;
const folder = temporaryFolder();
const batchFile = repository('tests/fixtures/models/llama-mini/reference/batch.safetensors');
const batch = readSafetensors(batchFile);

const bundled = { name: 'the bundled export', base: repository('models/llama-mini/model.onnx'), folded: join(folder, 'bundled.onnx') };
const dynamo = { name: 'dynamo18', base: repository('tests/fixtures/models/llama-mini/dynamo18.onnx'), folded: join(folder, 'dynamo18.onnx') };

const near = difference => assert.ok(difference <= tolerance, `off by ${difference}`);

describe('a trained adapter', () => {
    before(async () => {
        const run = join(folder, 'run');
        await lorta('train', repository('models/recipes/ship-log.yaml'), '--set', 'train.steps=3', '--set', 'train.schedule.warmupSteps=1', '-o', run);
        for (const model of [bundled, dynamo]) {
            await lorta('export', model.base, '--adapter', join(run, 'adapter'), '-o', model.folded);
            model.moved = (await lorta('verify', model.base, model.folded, '--inputs', batchFile)).maxAbsDiff;
        }
    });

    for (const model of [bundled, dynamo]) {
        const { name, base, folded } = model;

        test(`${name}: both runtimes give the same folded logits`, async () => {
            near(distance(await logits('onnxruntime-node', folded, batch), await logits('onnxruntime-web', folded, batch), batch));
        });

        test(`${name}: the adapter moves the logits`, () => {
            assert.ok(model.moved > 0.1, `by ${model.moved} only`);
        });

        for (const runtime of Object.keys(runtimes)) {
            test(`${name}, ${runtime}: folding moves the logits as far as lorta verify says`, async () => {
                const seen = distance(await logits(runtime, base, batch), await logits(runtime, folded, batch), batch);
                near(Math.abs(seen - model.moved));
            });
        }
    }

    for (const runtime of Object.keys(runtimes)) {
        test(`${runtime}: both exports have the same folded logits`, async () => {
            near(distance(await logits(runtime, bundled.folded, batch), await logits(runtime, dynamo.folded, batch), batch));
        });
    }
});
