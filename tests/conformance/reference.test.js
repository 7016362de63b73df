// Adapters with given factors against PyTorch's logits (float64) of the same adapter: folded, and as side branches.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { before, describe, test } from 'node:test';
import { inject, lorta, repository, temporaryFolder } from './lorta.js';
import { distance, logits, runtimes } from './runtimes.js';
import { readSafetensors } from './safetensors.js';

const tolerance = 1e-4;
const folder = temporaryFolder();
const fixtures = (...parts) => repository('tests/fixtures', ...parts);
const near = difference => assert.ok(difference <= tolerance, `off by ${difference}`);

const bundled = name => repository('models', name, 'model.onnx');
const cases = [
    { model: bundled('llama-mini'), golden: 'llama-mini/causal-lm.lorta-qkvp' },
    { model: bundled('llama-mini'), golden: 'llama-mini/causal-lm.lora' },
    { model: fixtures('models/llama-mini/dynamo18.onnx'), golden: 'llama-mini/causal-lm.lorta-qkvp' },
    { model: bundled('roberta-mini'), golden: 'roberta-mini/seqcls.lorta-qkvp' },
    { model: bundled('esm-mini'), golden: 'esm-mini/mlm.lorta' },
];

for (const [index, { model, golden }] of cases.entries()) {
    describe(`${golden} on ${basename(model)}`, () => {
        const injected = join(folder, `${index}.injected.onnx`), folded = join(folder, `${index}.folded.onnx`);
        const { logits: expected } = readSafetensors(fixtures('goldens', `${golden}.safetensors`));
        const spec = JSON.parse(readFileSync(fixtures('goldens', `${golden}.json`), 'utf8'));
        const batch = readSafetensors(fixtures('models', spec.model, 'reference', spec.batch));

        before(async () => {
            const adapter = await inject(model, injected, { ...spec, file: fixtures('goldens', `${golden}.safetensors`) });
            await lorta('export', model, '--adapter', adapter, '-o', folded);
        });

        for (const runtime of Object.keys(runtimes)) {
            test(`${runtime}: the folded model has the reference's logits`, async () => {
                near(distance(await logits(runtime, folded, batch), expected.data, batch));
            });

            test(`${runtime}: the model with side branches has the reference's logits`, async () => {
                near(distance(await logits(runtime, injected, batch), expected.data, batch));
            });
        }
    });
}
